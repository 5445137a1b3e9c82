//! The smallest meter there is: two registers, answered at once.

use std::future::Future;

use super::in_time;
use kamstrup_kmp::RegisterId;
use kamstrup_kmp::frame::Address;
use kamstrup_kmp::message::Request;
use kamstrup_kmp::responder::{Heard, Reply, Responder};
use kamstrup_kmp::session::Outcome;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Energy, 84.817 GJ, and volume, 71.03 m3 (facts/users-and-peers.md B, G1; facts/kmp.md 2).
pub const REGISTERS: [RegisterId; 2] = [RegisterId(60), RegisterId(68)];
const RECORDS: [(RegisterId, &[u8]); 2] = [
    (REGISTERS[0], b"\x00\x3c\x08\x04\x43\x00\x01\x4b\x51"),
    (REGISTERS[1], b"\x00\x44\x28\x04\x42\x00\x00\x1b\xbf"),
];

/// Does something with a meter at the other end that answers whatever it is asked.
pub async fn answering<T>(
    line: &mut (impl AsyncRead + AsyncWrite + Unpin),
    step: impl Future<Output = T>,
) -> T {
    let meter = async {
        loop {
            let request = hear(line).await;
            answer(line, &request).await;
        }
    };
    in_time(async {
        tokio::select! {
            () = meter => unreachable!("the meter goes on for ever"),
            result = step => result,
        }
    })
    .await
}

/// Waits for a request; bytes behind it are dropped, for nobody sends two at a time.
pub async fn hear(line: &mut (impl AsyncRead + Unpin)) -> Request {
    let mut responder = Responder::new(Address::METER);
    let mut buffer = [0; 256];
    loop {
        let read = in_time(line.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "the line ended before a request came");
        let mut rest = &buffer[..read];
        let heard = responder.hear(&mut rest, kamstrup_kmp::Instant::default());
        if let Some(Heard::Request(request)) = heard {
            return request;
        }
    }
}

/// Answers a request.
pub async fn answer(line: &mut (impl AsyncWrite + Unpin), request: &Request) {
    let reply = reply(request).encode(Address::METER).unwrap();
    in_time(line.write_all(&reply)).await.unwrap();
}

/// Checks that an outcome has exactly this meter's values.
pub fn assert_read(outcome: &Outcome) {
    assert_eq!(outcome.verdict, kamstrup_kmp::Verdict::Ok, "{outcome:?}");
    let values: Vec<_> = outcome
        .records
        .iter()
        .map(|record| (record.register, format!("{:?}", record.value)))
        .collect();
    assert_eq!(values.len(), 2, "{outcome:?}");
    assert_eq!([values[0].0, values[1].0], REGISTERS);
    assert!(outcome.unanswered.is_empty() && outcome.unsupported.is_empty());
}

fn reply(request: &Request) -> Reply {
    let batch = match request {
        Request::GetRegister(batch) => batch,
        Request::GetSerialNo => return Reply::SerialNo(12_345_678),
        Request::GetType => return raw(0x01, vec![0x00, 0x01, 0x06, 0x01]),
        other => panic!("this meter was not made for {other:?}"),
    };
    let data = RECORDS
        .iter()
        .filter(|(id, _)| batch.ids().contains(id))
        .flat_map(|(_, bytes)| bytes.iter().copied())
        .collect();
    raw(0x10, data)
}

fn raw(command: u8, data: Vec<u8>) -> Reply {
    Reply::Raw { command, data }
}
