//! Units of settings and how PostgreSQL converts them (`src/backend/utils/misc/guc.c`, `convert_to_base_unit`).

/// The unit in which a server keeps a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Byte,
    /// 1024 bytes.
    Kb,
    /// A block of 8 kB; every build that is in use has this block size.
    Block,
    /// 1024 kB.
    Mb,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
    /// Minutes.
    Min,
}

const KB: f64 = 1024.0;

impl Unit {
    /// The name that `pg_settings.unit` shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Byte => "B",
            Self::Kb => "kB",
            Self::Block => "8kB",
            Self::Mb => "MB",
            Self::Ms => "ms",
            Self::S => "s",
            Self::Min => "min",
        }
    }

    /// The server's hint when a unit is not known.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Byte | Self::Kb | Self::Block | Self::Mb => {
                "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
            }
            Self::Ms | Self::S | Self::Min => {
                "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
            }
        }
    }

    /// What can be written behind a number, largest first, and how much of this unit it is. The factors are computed as
    /// the server computes them, so that the rounding is the same.
    const fn table(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Byte => &[("TB", KB * KB * KB * KB), ("GB", KB * KB * KB), ("MB", KB * KB), ("kB", KB), ("B", 1.0)],
            Self::Kb => &[("TB", KB * KB * KB), ("GB", KB * KB), ("MB", KB), ("kB", 1.0), ("B", 1.0 / KB)],
            Self::Mb => &[("TB", KB * KB), ("GB", KB), ("MB", 1.0), ("kB", 1.0 / KB), ("B", 1.0 / (KB * KB))],
            Self::Block => &[
                ("TB", (KB * KB * KB) / 8.0),
                ("GB", (KB * KB) / 8.0),
                ("MB", KB / 8.0),
                ("kB", 1.0 / 8.0),
                ("B", 1.0 / 8192.0),
            ],
            Self::Ms => &[
                ("d", 86_400_000.0),
                ("h", 3_600_000.0),
                ("min", 60_000.0),
                ("s", 1000.0),
                ("ms", 1.0),
                ("us", 1.0 / 1000.0),
            ],
            Self::S => &[
                ("d", 86_400.0),
                ("h", 3600.0),
                ("min", 60.0),
                ("s", 1.0),
                ("ms", 1.0 / 1000.0),
                ("us", 1.0 / 1_000_000.0),
            ],
            Self::Min => &[
                ("d", 1440.0),
                ("h", 60.0),
                ("min", 1.0),
                ("s", 1.0 / 60.0),
                ("ms", 1.0 / 60_000.0),
                ("us", 1.0 / 60_000_000.0),
            ],
        }
    }

    /// A number with a unit written behind it, in this unit; `None` for a unit that is not one (case matters). A
    /// fraction is rounded to whole numbers of the next smaller unit: `30.1GB` is `30822MB`.
    #[must_use]
    pub fn from_written(self, value: f64, written: &str) -> Option<f64> {
        let table = self.table();
        let at = table.iter().position(|(name, _)| *name == written)?;
        let converted = value * table[at].1;
        Some(match table.get(at + 1) {
            Some((_, smaller)) => (converted / smaller).round_ties_even() * smaller,
            None => converted,
        })
    }
}
