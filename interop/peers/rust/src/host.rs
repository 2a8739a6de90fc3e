//! rust-libp2p's own stack, from TCP and noise to the muxer, without a swarm on top of it: that would queue, and drop,
//! streams by rules of its own.
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p_core::muxing::{StreamMuxer, StreamMuxerBox};
use libp2p_core::transport::{Boxed, DialOpts, ListenerId, PortUse, Transport, TransportEvent};
use libp2p_core::upgrade::Version;
use libp2p_core::{Endpoint, Multiaddr};
use libp2p_identity::{Keypair, PeerId};

use crate::bare::MAX_STREAMS;
use crate::session::{Connection, Stream};

pub const PROTOCOL: &str = "/interop/1.0.0";

pub type Node = Boxed<(PeerId, StreamMuxerBox)>;

pub struct Identity {
    pub keys: Keypair,
    pub id: PeerId,
}

pub fn identity() -> Identity {
    let keys = Keypair::generate_ed25519();
    let id = keys.public().to_peer_id();

    Identity { keys, id }
}

pub fn node(muxer: &str, identity: &Identity) -> Result<Node, String> {
    let noise = libp2p_noise::Config::new(&identity.keys).map_err(|error| error.to_string())?;
    let tcp = libp2p_tcp::tokio::Transport::new(libp2p_tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise);

    match muxer {
        "libp2p-yamux" => {
            let mut config = libp2p_yamux::Config::default();
            config.set_max_num_streams(MAX_STREAMS);
            Ok(tcp.multiplex(config).boxed())
        }
        "libp2p-mplex" => {
            let mut config = libp2p_mplex::Config::new();
            config.set_max_num_streams(MAX_STREAMS);
            Ok(tcp.multiplex(config).boxed())
        }
        _ => Err(format!("there is no muxer {muxer}")),
    }
}

pub async fn connect(muxer: &str, address: Option<&String>) -> Result<Box<dyn Connection>, String> {
    let identity = identity();
    let mut node = node(muxer, &identity)?;

    if let Some(address) = address {
        println!("{address}");
        return dial(&mut node, address).await;
    }

    let address = listen(&mut node, "/ip4/127.0.0.1/tcp/0").await?;

    println!("{address}/p2p/{}", identity.id);
    accept(&mut node).await
}

pub async fn dial(node: &mut Node, address: &str) -> Result<Box<dyn Connection>, String> {
    let mut address: Multiaddr = address.parse().map_err(|_| "no multiaddr".to_string())?;
    // whom it belongs to is for a swarm to check
    address.pop();

    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let dial = node
        .dial(address, options)
        .map_err(|error| error.to_string())?;

    tokio::pin!(dial);

    loop {
        tokio::select! {
            connected = &mut dial => {
                return connected
                    .map(|(_, muxer)| Box::new(Host(muxer)) as Box<dyn Connection>)
                    .map_err(|error| error.to_string());
            }
            _ = next_event(node) => {}
        }
    }
}

pub async fn listen(node: &mut Node, address: &str) -> Result<Multiaddr, String> {
    let everywhere = address.starts_with("/ip4/0.0.0.0/");
    let address: Multiaddr = address.parse().map_err(|_| "no multiaddr".to_string())?;

    node.listen_on(ListenerId::next(), address)
        .map_err(|error| error.to_string())?;

    let first = new_address(node).await;
    let mut found = first.clone();

    // of all interfaces, one where others, who may be on other machines, find us
    while everywhere && found.to_string().starts_with("/ip4/127.") {
        match tokio::time::timeout(INTERFACES_PATIENCE, new_address(node)).await {
            Ok(other) => found = other,
            Err(_) => return Ok(first),
        }
    }

    Ok(found)
}

/// They are told one after the other, and nobody says which is the last.
const INTERFACES_PATIENCE: Duration = Duration::from_millis(200);

async fn new_address(node: &mut Node) -> Multiaddr {
    loop {
        if let TransportEvent::NewAddress { listen_addr, .. } = next_event(node).await {
            return listen_addr;
        }
    }
}

pub async fn accept(node: &mut Node) -> Result<Box<dyn Connection>, String> {
    loop {
        if let TransportEvent::Incoming { upgrade, .. } = next_event(node).await {
            return upgrade
                .await
                .map(|(_, muxer)| Box::new(Host(muxer)) as Box<dyn Connection>)
                .map_err(|error| error.to_string());
        }
    }
}

async fn next_event(
    node: &mut Node,
) -> TransportEvent<<Node as Transport>::ListenerUpgrade, <Node as Transport>::Error> {
    poll_fn(|cx| Pin::new(&mut *node).poll(cx)).await
}

struct Host(StreamMuxerBox);

impl Connection for Host {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>> {
        Pin::new(&mut self.0)
            .poll_outbound(cx)
            .map_ok(|stream| Box::new(stream) as Stream)
            .map_err(|error| error.to_string())
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>> {
        let inbound = Pin::new(&mut self.0).poll_inbound(cx);

        if inbound.is_pending() {
            if let Poll::Ready(Err(error)) = Pin::new(&mut self.0).poll(cx) {
                return Poll::Ready(Err(error.to_string()));
            }
        }

        inbound
            .map_ok(|stream| Box::new(stream) as Stream)
            .map_err(|error| error.to_string())
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Pin::new(&mut self.0)
            .poll_close(cx)
            .map_err(|error| error.to_string())
    }
}
