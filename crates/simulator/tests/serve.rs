//! Simulated meters at real ports.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use heatmeter_simulator::{
    Config, Fault, FaultKind, Handle, Model, ServeError, Server, serve_pty, serve_tcp,
};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const GET_TYPE: [u8; 6] = [0x80, 0x3f, 0x01, 0x05, 0x8a, 0x0d];
const MOMENT: Duration = Duration::from_secs(5);

/// A server that runs until it is told to stop.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
    listening: String,
    handle: Handle,
}

impl Running {
    fn start(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (listening, handle) = (server.listening().to_owned(), server.handle());
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            stop,
            task,
            listening,
            handle,
        }
    }

    async fn tcp(config: Config) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start(serve_tcp(config, any).await.unwrap())
    }

    fn address(&self) -> &str {
        self.listening.strip_prefix("socket://").unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(MOMENT, self.task).await.unwrap().unwrap().unwrap();
    }
}

fn config() -> Config {
    Config::new(Model::M403)
}

fn always(kind: FaultKind) -> Config {
    config().faults([Fault::new(kind, 1.0).unwrap()])
}

async fn get_type(line: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> Vec<u8> {
    line.write_all(&GET_TYPE).await.unwrap();
    line.flush().await.unwrap();
    let mut answer = Vec::new();
    while answer.last() != Some(&0x0d) {
        let mut bytes = [0; 64];
        let count = timeout(MOMENT, line.read(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(count, 0, "the line was closed");
        answer.extend(&bytes[..count]);
    }
    answer
}

async fn open(path: impl AsRef<Path>) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .await
        .unwrap()
}

#[tokio::test]
async fn tcp_serves_one_client_after_the_other() {
    let server = Running::tcp(config()).await;
    for _ in 0..3 {
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        assert_eq!(
            get_type(&mut client).await[..5],
            [0x40, 0x3f, 0x01, 0xf4, 0x03]
        );
    }
    assert_eq!(server.handle.journal().exchanges(), 3);
    server.stop().await;
}

#[tokio::test]
async fn tcp_turns_a_second_client_away_and_keeps_the_first() {
    let server = Running::tcp(config()).await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    get_type(&mut first).await;
    let mut second = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(
        timeout(MOMENT, second.read(&mut [0; 8]))
            .await
            .unwrap()
            .unwrap_or(0),
        0
    );
    get_type(&mut first).await;
    server.stop().await;
}

#[tokio::test]
async fn tcp_stops_while_a_client_is_connected_and_frees_its_address() {
    let server = Running::tcp(config()).await;
    let address: SocketAddr = server.address().parse().unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    get_type(&mut client).await;
    server.stop().await;
    assert_eq!(
        timeout(MOMENT, client.read(&mut [0; 8]))
            .await
            .unwrap()
            .unwrap_or(0),
        0
    );
    Running::start(serve_tcp(config(), address).await.unwrap())
        .stop()
        .await;
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let server = Running::tcp(config()).await;
    let address = server.address().parse().unwrap();
    let error = serve_tcp(config(), address).await.unwrap_err();
    assert!(error.to_string().contains(server.address()), "{error}");
    server.stop().await;
}

#[tokio::test]
async fn a_closed_peer_can_be_reached_again_at_once() {
    let server = Running::tcp(always(FaultKind::PeerClose)).await;
    for _ in 0..3 {
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(&GET_TYPE).await.unwrap();
        let mut rest = Vec::new();
        timeout(MOMENT, client.read_to_end(&mut rest))
            .await
            .unwrap()
            .unwrap();
        assert!(rest.len() <= 10);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_gone_tcp_port_refuses_for_a_while_and_comes_back() {
    let gone = Duration::from_millis(300);
    let server = Running::tcp(always(FaultKind::PortGone).gone_for(gone)).await;
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    client.write_all(&GET_TYPE).await.unwrap();
    let mut rest = Vec::new();
    timeout(MOMENT, client.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(server.address()).await.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(TcpStream::connect(server.address()).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_pty_answers_each_time_it_is_opened() {
    let server = Running::start(serve_pty(config(), None).unwrap());
    assert!(
        server.listening.starts_with("/dev/pts/"),
        "{}",
        server.listening
    );
    for _ in 0..3 {
        let mut port = open(&server.listening).await;
        assert_eq!(get_type(&mut port).await.len(), 10);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_link_of_a_pty_is_replaced_at_once_and_removed_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("meter");
    std::os::unix::fs::symlink("/nowhere", &link).unwrap();
    let server = Running::start(serve_pty(config(), Some(&link)).unwrap());
    assert_eq!(server.listening, link.to_str().unwrap());
    get_type(&mut open(&link).await).await;
    server.stop().await;
    assert!(link.symlink_metadata().is_err());
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[tokio::test]
async fn a_link_never_takes_the_place_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("important");
    std::fs::write(&path, "data").unwrap();
    let error = serve_pty(config(), Some(&path)).unwrap_err();
    assert!(error.to_string().contains("important"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}

#[tokio::test]
async fn a_gone_pty_hangs_up_and_comes_back_at_the_same_link() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("meter");
    let gone = Duration::from_millis(300);
    let config = always(FaultKind::PortGone).gone_for(gone);
    let server = Running::start(serve_pty(config, Some(&link)).unwrap());
    let mut port = open(&link).await;
    port.write_all(&GET_TYPE).await.unwrap();
    port.flush().await.unwrap();
    // A hung-up terminal reads as its end or as an error.
    let hung_up = async {
        let mut bytes = [0; 64];
        while port.read(&mut bytes).await.unwrap_or(0) > 0 {}
    };
    timeout(MOMENT, hung_up).await.unwrap();
    assert!(link.symlink_metadata().is_err());
    tokio::time::sleep(Duration::from_millis(600)).await;
    open(&link).await;
    server.stop().await;
}

#[tokio::test]
async fn a_paced_answer_takes_its_time_at_a_real_port() {
    let server = Running::tcp(config().pace(true)).await;
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    let began = std::time::Instant::now();
    let answer = get_type(&mut client).await;
    let needed = heatmeter_simulator::wire_time(GET_TYPE.len() + answer.len());
    let took = began.elapsed();
    assert!(
        took >= needed && took < needed + Duration::from_millis(100),
        "{took:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_key_press_wakes_a_served_meter() {
    let server = Running::tcp(config().sleep_after(Duration::from_millis(300))).await;
    tokio::time::sleep(Duration::from_millis(310)).await;
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    client.write_all(&GET_TYPE).await.unwrap();
    let silent = timeout(Duration::from_millis(200), client.read(&mut [0; 8])).await;
    assert!(silent.is_err());
    assert_eq!(server.handle.journal().unheard(), 1);
    server.handle.wake();
    assert_eq!(get_type(&mut client).await.len(), 10);
    server.stop().await;
}
