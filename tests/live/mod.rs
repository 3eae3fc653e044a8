//! Looks at real servers, hosts and stores.

mod host;
