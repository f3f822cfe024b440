//! Simulation of both vendors on loopback sockets, for a first run and for tests.
//!
//! The simulation follows the vendors' public pages and shares no code with the adapters. An adapter
//! that misreads a page therefore gets an error. The simulation is stricter than the vendors are
//! known to be: the response to any parameter that the pages do not list is 400.
//!
//! Unless a test queues a [`Fault`] or sets a [`Lie`], responses are correct. No row is repeated, no
//! row of another tenant is shown, and totals are exact. The fixtures of the adapters cover malformed
//! bodies. With [`Options::changes_per_minute`], the rows change while the vendors run.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use customer_gateway::sandbox::{Fault, Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options { tolt_customers: 20, ..Options::default() }).await?;
//! sandbox.tolt().fail_next(1, Fault::Status(503));
//! assert!(sandbox.tolt().base_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(sandbox.tolt().customers().len(), 20);
//! # Ok(())
//! # }
//! ```

pub mod corporation;
pub mod tolt;

mod changes;
mod data;
mod fault;
mod field;
mod gate;
mod handle;
mod lie;
mod limit;
mod lock;
mod log;
mod names;
mod options;
mod query;
mod random;
mod response;
mod server;
#[cfg(test)]
mod tests;
mod vendor;

use std::{io, net::SocketAddr, sync::Arc};

pub use self::{
    corporation::Corporation,
    data::Data,
    fault::Fault,
    field::Field,
    handle::Handle,
    lie::Lie,
    options::{Envelope, Options, ToltSearch},
    tolt::Tolt,
    vendor::Direction,
};

use tokio_util::task::AbortOnDropHandle;

use self::{server::Server, vendor::Vendor};

/// Both vendors. The vendors listen until the sandbox is dropped.
#[derive(Debug)]
pub struct Sandbox {
    tolt: Tolt,
    corporation: Corporation,
    /// Dropped with the sandbox, which closes the listeners and all connections.
    _servers: [Server; 2],
    /// Dropped with the sandbox, which ends the changes.
    _changes: [Option<AbortOnDropHandle<()>>; 2],
}

impl Sandbox {
    /// Starts both vendors with generated rows.
    pub async fn start(options: Options) -> io::Result<Self> {
        let data = Data::generate(&options);
        Self::start_with(options, data).await
    }

    /// Starts both vendors with the given rows.
    pub async fn start_with(options: Options, data: Data) -> io::Result<Self> {
        let tolt = tolt::Service::new(&options, data.tolt);
        let (tolt, tolt_server) = start_vendor(options.tolt_addr, tolt).await?;

        let corporation = corporation::Service::new(&options, data.corporation);
        let (corporation, corporation_server) = start_vendor(options.corporation_addr, corporation).await?;

        let changes =
            [changes::start(tolt.shared_service(), &options), changes::start(corporation.shared_service(), &options)];
        Ok(Self { tolt, corporation, _servers: [tolt_server, corporation_server], _changes: changes })
    }

    /// Returns the controls of Tolt.
    #[must_use]
    pub fn tolt(&self) -> &Tolt {
        &self.tolt
    }

    /// Returns the controls of the corporation vendor.
    #[must_use]
    pub fn corporation(&self) -> &Corporation {
        &self.corporation
    }
}

async fn start_vendor<S: Vendor>(address: SocketAddr, service: S) -> io::Result<(Handle<S>, Server)> {
    let service = Arc::new(service);
    let server = Server::start(address, Arc::clone(&service)).await?;
    Ok((Handle::new(server.address(), service), server))
}
