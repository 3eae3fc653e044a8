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

    /// The same for whole numbers: what can be written, largest first, and how much of this unit it is. A block is no unit that anybody writes: its
    /// number is made eight times as large, and one of kB.
    const fn whole(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::Byte => &[("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)],
            Self::Kb | Self::Block => &[("TB", 1 << 30), ("GB", 1 << 20), ("MB", 1 << 10), ("kB", 1)],
            Self::Mb => &[("TB", 1 << 20), ("GB", 1 << 10), ("MB", 1)],
            Self::Ms => &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)],
            Self::S => &[("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)],
            Self::Min => &[("d", 1440), ("h", 60), ("min", 1)],
        }
    }

    /// A whole number of this unit as `SHOW` writes it: in the largest unit of which it is a whole number (`convert_int_from_base_unit`). Zero and
    /// what is below it are no amounts, and stay as they are.
    #[must_use]
    pub fn shown(self, number: i64) -> String {
        let factor = if self == Self::Block { 8 } else { 1 };
        let Some(number) = number.checked_mul(factor).filter(|n| *n > 0) else { return number.to_string() };
        let unit = self.whole().iter().find(|(_, size)| number % size == 0);
        unit.map_or_else(|| number.to_string(), |(name, size)| format!("{}{name}", number / size))
    }

    /// A number with a fraction of this unit, as it was written: in the largest unit of which it is a whole number, else as it is. `SHOW` writes six
    /// digits of it, and loses the rest.
    #[must_use]
    pub fn shown_real(self, written: &str) -> String {
        let Ok(number) = written.parse::<f64>() else { return written.to_owned() };
        if number <= 0.0 {
            return written.to_owned();
        }
        let whole = |(name, size): &(&str, f64)| {
            let count = number / size;
            // Exactly: what is almost a whole number would lose the rest.
            let is_whole = count.fract().total_cmp(&0.0).is_eq() && (count * size).total_cmp(&number).is_eq();
            (is_whole && count < 1e15).then(|| format!("{count:.0}{name}"))
        };
        self.table().iter().find_map(whole).unwrap_or_else(|| format!("{written}{}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(Unit::Block.shown(16_384), "128MB");
        assert_eq!(Unit::Block.shown(1), "8kB");
        assert_eq!(Unit::Block.shown(16_385), "131080kB");
        assert_eq!(Unit::Kb.shown(4096), "4MB");
        assert_eq!(Unit::Kb.shown(4097), "4097kB");
        assert_eq!(Unit::Mb.shown(1_048_576), "1TB");
        assert_eq!(Unit::Ms.shown(1500), "1500ms");
        assert_eq!(Unit::S.shown(300), "5min");
        assert_eq!(Unit::Min.shown(1440), "1d");
        assert_eq!((Unit::Kb.shown(-1), Unit::Ms.shown(0)), ("-1".to_owned(), "0".to_owned()));
        assert_eq!((Unit::Block.shown(-1), Unit::Block.shown(i64::MAX)), ("-1".to_owned(), i64::MAX.to_string()));
        assert_eq!(Unit::Ms.shown_real("2"), "2ms");
        assert_eq!(Unit::Ms.shown_real("2.5"), "2500us");
        assert_eq!(Unit::Ms.shown_real("0.1234567"), "0.1234567ms");
        assert_eq!((Unit::Ms.shown_real("-1"), Unit::Ms.shown_real("0")), ("-1".to_owned(), "0".to_owned()));
    }
}
