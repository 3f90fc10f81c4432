//! What the node's backups ask of its data folder.

/// As in the node.
pub const VERSION: u32 = 2;

/// Making folders.
pub mod migration {
    use std::io;
    use std::path::Path;

    /// A disk.
    pub trait Disk {
        /// Makes a folder and those above it.
        fn make_folder(&self, path: &Path) -> io::Result<()>;
    }

    /// The machine's own.
    pub struct RealDisk;

    impl Disk for RealDisk {
        fn make_folder(&self, path: &Path) -> io::Result<()> {
            std::fs::create_dir_all(path)
        }
    }
}
