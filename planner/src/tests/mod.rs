mod functions;
