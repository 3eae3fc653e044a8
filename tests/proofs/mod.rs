//! Each error rule against the real programs: the failure, the finding, and both gone with the fix.

mod hba;
mod host;
mod roles;
mod settings;
mod slots;
