//! The store that keeps the cluster's state.

pub(super) mod cluster_keys;
pub(super) mod endpoints_differ;
pub(super) mod etcd_hosts;
pub(super) mod etcd_v2_api;
pub(super) mod k8s_basics;
pub(super) mod protocol_mismatch;
pub(super) mod servers;
