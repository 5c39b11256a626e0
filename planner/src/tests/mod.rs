mod functions;
mod modules;
