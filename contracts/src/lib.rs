//! DDT.
