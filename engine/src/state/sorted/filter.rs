//! Which keys a run has: a Bloom filter whose bits for one key lie in one block of memory, so that to ask it costs
//! one look.

/// Eight words, in each of which a key has one bit.
type Block = [u32; 8];
const BLOCK_BITS: u64 = 256;
/// A filter has a multiple of so many blocks, so that it can be halved.
const EVEN_BLOCKS: u64 = 16;

/// Odd numbers without a pattern, one for each word.
const SALTS: Block = [
    0x9E37_79B1,
    0x85EB_CA77,
    0xC2B2_AE3D,
    0x27D4_EB2F,
    0x1656_67B1,
    0xD3A2_646D,
    0xFD70_46C5,
    0xB55A_4F09,
];

/// The hashes of keys that are there; some others pass for such, one in a hundred with ten bits to a key.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Without any, everything may be there.
    blocks: Vec<Block>,
}

impl Filter {
    /// Room for so many keys, with so many bits for each.
    pub(super) fn with_capacity(keys: u64, bits: u32) -> Self {
        let blocks = keys.saturating_mul(u64::from(bits)).div_ceil(BLOCK_BITS);
        let blocks = blocks.next_multiple_of(EVEN_BLOCKS);
        Filter {
            blocks: vec![Block::default(); usize::try_from(blocks).unwrap_or(0)],
        }
    }

    /// What a filter of so many keys takes, in bytes.
    pub(super) fn bytes_for(keys: u64, bits: u32) -> u64 {
        keys.saturating_mul(u64::from(bits)) / 8
    }

    fn place(&self, hash: u64) -> usize {
        // The upper half of the product of the upper half: evenly spread over the blocks.
        (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize
    }

    /// Adds a key by its hash.
    pub(super) fn insert(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(block) = self.blocks.get_mut(place) {
            for (word, bit) in block.iter_mut().zip(bits_of(hash)) {
                *word |= bit;
            }
        }
    }

    /// Whether the key may be there.
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let Some(block) = self.blocks.get(self.place(hash)) else {
            return true;
        };
        let missing = block.iter().zip(bits_of(hash));
        missing.fold(0, |missing, (word, bit)| missing | (!word & bit)) == 0
    }

    /// Gives memory back that fewer keys than expected do not need.
    pub(super) fn fit(&mut self, keys: u64, bits: u32) {
        let wanted = keys.saturating_mul(u64::from(bits)).div_ceil(BLOCK_BITS);
        while self.blocks.len() >= 2 && self.blocks.len() as u64 >= wanted * 2 {
            if self.blocks.len() % 2 == 1 {
                // Places are shares of the whole, so only an even number can be halved.
                return;
            }
            let halves = self.blocks.chunks_exact(2);
            self.blocks = halves
                .map(|pair| std::array::from_fn(|word| pair[0][word] | pair[1][word]))
                .collect();
        }
    }

    /// The memory in use.
    pub(super) fn size_bytes(&self) -> u64 {
        (self.blocks.capacity() * size_of::<Block>()) as u64
    }
}

fn bits_of(hash: u64) -> Block {
    SALTS.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}
