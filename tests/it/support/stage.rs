//! Vendors and a gateway in front of them, with the settings of a test.

use std::pin::Pin;

use customer_gateway::{
    clock::SharedClock,
    config::{Config, Connection},
    sandbox::Sandbox,
};

use super::{Answer, Gateway, ScriptedVendor, config, connections_to};

/// A running gateway and the vendors behind it, stopped when dropped.
pub(crate) struct Stage<V = Sandbox> {
    pub(crate) vendors: V,
    pub(crate) gateway: Gateway,
}

/// Settings of a stage.
pub(crate) struct StageBuilder<'s, V = Sandbox> {
    vendors: Pin<Box<dyn Future<Output = V> + 's>>,
    changes: Vec<Change<'s>>,
    clock: Option<SharedClock>,
}

type Change<'s> = Box<dyn FnOnce(&mut Config) + 's>;

/// Vendors that a stage's gateway connects to.
pub(crate) trait Vendors {
    /// Returns the connections of the gateway's configuration.
    fn connections(&self) -> Vec<Connection>;
}

impl<'s, V: Vendors> StageBuilder<'s, V> {
    /// Returns a stage of these vendors, which start with the stage.
    pub(crate) fn new(vendors: impl Future<Output = V> + 's) -> Self {
        Self { vendors: Box::pin(vendors), changes: Vec::new(), clock: None }
    }

    /// Changes the configuration, after all earlier changes.
    pub(crate) fn configure(mut self, change: impl FnOnce(&mut Config) + 's) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Changes the first connection.
    pub(crate) fn configure_first(self, change: impl FnOnce(&mut Connection) + 's) -> Self {
        self.configure(|config| change(&mut config.connections[0]))
    }

    /// Replaces the movable clock.
    pub(crate) fn clock(self, clock: SharedClock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Starts the vendors, then the gateway.
    pub(crate) async fn start(self) -> Stage<V> {
        let vendors = self.vendors.await;
        let mut config = config(vendors.connections());
        for change in self.changes {
            change(&mut config);
        }
        let gateway = match self.clock {
            Some(clock) => Gateway::start_on(clock, config).await,
            None => Gateway::start(config).await,
        };
        Stage { vendors, gateway }
    }
}

impl<V> Stage<V> {
    /// Sends a `GET` without a key.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.gateway.get(target).await
    }
}

impl Stage {
    /// Returns the number of calls that Tolt received.
    pub(crate) fn tolt_calls(&self) -> u64 {
        self.vendors.tolt().calls()
    }

    /// Returns the number of calls that Tolt and the corporation vendor
    /// received.
    pub(crate) fn calls(&self) -> [u64; 2] {
        [self.vendors.tolt().calls(), self.vendors.corporation().calls()]
    }

    /// Returns the number of calls that both vendors received.
    pub(crate) fn total_calls(&self) -> u64 {
        self.calls().iter().sum()
    }
}

impl Vendors for Sandbox {
    fn connections(&self) -> Vec<Connection> {
        connections_to(self)
    }
}

impl Vendors for ScriptedVendor {
    fn connections(&self) -> Vec<Connection> {
        vec![self.connection("tolt")]
    }
}
