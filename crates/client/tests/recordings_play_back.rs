//! A session that was recorded can be had again without its meter.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use heatmeter_client::{
    Direction, Event, Header, Note, OpenOptions, Port, Recorder, Recording, Transport,
};
use kamstrup_kmp::line::LineSettings;
use tokio::time::{Instant, timeout};

const QUESTION: &[u8] = b"\x80\x3f\x02\x35\xe9\x0d";
const ANSWER: &[u8] = b"\x40\x3f\x02\x00\x96\x3f";

/// Two questions; the first is answered in two pieces, the second not, then the port is lost.
async fn record(file: &Path) {
    let header = Header::new("/dev/ttyUSB0")
        .line(LineSettings::KMP)
        .started("2026-11-22");
    let mut recorder = Recorder::create(file, &header).unwrap();
    recorder.note(Note::Open, "");
    tokio::time::advance(Duration::from_secs(1)).await;
    recorder.sent(QUESTION);
    tokio::time::advance(Duration::from_millis(300)).await;
    recorder.received(&ANSWER[..2]);
    tokio::time::advance(Duration::from_millis(40)).await;
    recorder.received(&ANSWER[2..]);
    recorder.note(Note::Verdict, "ok");
    tokio::time::advance(Duration::from_hours(1)).await;
    recorder.sent(&[0x5a; 600]);
    tokio::time::advance(Duration::from_secs(2)).await;
    recorder.note(Note::Lost, "unplugged");
    assert_eq!(recorder.failure(), None);
}

async fn open(file: &Path, replay_speed: f64) -> Transport {
    let port = Port::Replay(file.to_owned());
    let options = OpenOptions {
        replay_speed,
        ..OpenOptions::default()
    };
    Transport::open(&port, &options).await.unwrap()
}

async fn read(transport: &mut Transport) -> Vec<u8> {
    let mut buffer = [0; 64];
    let read = transport.read(&mut buffer).await.unwrap();
    buffer[..read].to_vec()
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("session.jsonl")
}

#[tokio::test(start_paused = true)]
async fn with_the_timing_it_had() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    let mut transport = open(&file(&folder), 1.0).await;

    // Asked at another moment than then: the answer takes as long as then.
    let early = timeout(Duration::from_mins(1), transport.read(&mut [0; 64])).await;
    assert!(early.is_err(), "nothing comes before the question");
    transport.write_all(QUESTION).await.unwrap();
    let asked = Instant::now();
    assert_eq!(read(&mut transport).await, ANSWER[..2]);
    assert_eq!(asked.elapsed().as_millis(), 300);
    assert_eq!(read(&mut transport).await, ANSWER[2..]);
    assert_eq!(asked.elapsed().as_millis(), 340);

    transport.write_all(&[0x5a; 600]).await.unwrap();
    let asked = Instant::now();
    let lost = transport.read(&mut [0; 64]).await.unwrap_err();
    assert_eq!(lost.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(asked.elapsed().as_secs(), 2);
}

/// Whoever clears the line before a request finds what was found then, be it earlier than then.
#[tokio::test(start_paused = true)]
async fn what_was_waiting_is_waiting_again() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    let mut transport = open(&file(&folder), 1.0).await;
    let mut buffer = [0; 64];
    let nothing = transport.try_read(&mut buffer).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    transport.write_all(QUESTION).await.unwrap();
    assert_eq!(transport.try_read(&mut buffer).unwrap(), 2);
    assert_eq!(transport.try_read(&mut buffer).unwrap(), 4);
    let nothing = transport.try_read(&mut buffer).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test(start_paused = true)]
async fn as_fast_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    for (speed, milliseconds) in [(10.0, 34), (f64::INFINITY, 0)] {
        let mut transport = open(&file(&folder), speed).await;
        transport.write_all(QUESTION).await.unwrap();
        let asked = Instant::now();
        assert_eq!(read(&mut transport).await, ANSWER[..2]);
        assert_eq!(read(&mut transport).await, ANSWER[2..]);
        assert_eq!(
            asked.elapsed().as_millis(),
            milliseconds,
            "at speed {speed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn another_question_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    let mut transport = open(&file(&folder), f64::INFINITY).await;
    let error = transport
        .write_all(b"\x80\x3f\x01\x05\x8a\x0d")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("session.jsonl, line 3: "), "{error}");
    assert!(
        error.contains("then `803f0235e90d` was sent, now `803f01058a0d` is"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_after_the_end_is_named() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    let mut transport = open(&file(&folder), f64::INFINITY).await;
    // What was not read in between is skipped.
    transport.write_all(QUESTION).await.unwrap();
    transport.write_all(&[0x5a; 600]).await.unwrap();
    let error = transport.write_all(QUESTION).await.unwrap_err().to_string();
    assert!(
        error.contains("nothing was sent after this, now `803f0235e90d` is"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_file_tells_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    record(&file(&folder)).await;
    let text = std::fs::read_to_string(file(&folder)).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            r#"{"heatmeter_recording":1,"port":"/dev/ttyUSB0","line":"1200 8N2","started":"2026-11-22"}"#,
            r#"{"t":0.0,"note":"open","text":""}"#,
            r#"{"t":1.0,"dir":"out","hex":"803f0235e90d"}"#,
        ]
    );
    assert!(
        lines.iter().all(|line| line.len() < 1024),
        "long pieces are split"
    );

    let recording = Recording::load(&file(&folder)).unwrap();
    let sent: Vec<u8> = recording
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Bytes(Direction::Out, bytes) => Some(bytes.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(sent, [QUESTION, &[0x5a; 600]].concat());
}

/// Takes 200 bytes.
struct Disk(usize);

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_recording_and_nothing_else() {
    let mut recorder = Recorder::to(Disk(200), &Header::new("/dev/ttyUSB0")).unwrap();
    recorder.sent(QUESTION);
    assert_eq!(recorder.failure(), None);
    for _ in 0..10 {
        recorder.received(ANSWER);
    }
    assert_eq!(recorder.failure(), Some("no storage space"));
}
