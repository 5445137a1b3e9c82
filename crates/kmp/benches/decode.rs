//! How long it takes to make exact values of an answer, and to run a whole exchange.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kamstrup_kmp::frame::{Address, Decoder, Found};
use kamstrup_kmp::line::{Input, Output};
use kamstrup_kmp::message::Answer;
use kamstrup_kmp::responder::Reply;
use kamstrup_kmp::session::{Event, Session, Task};
use kamstrup_kmp::{Decimal, Instant, Record, RegisterId, Scale, Unit, Value};

const REGISTERS: [u16; 8] = [60, 68, 74, 80, 86, 87, 89, 266];

/// Eight values of four bytes: 78 bytes on the wire.
fn answer() -> Vec<u8> {
    let record = |(place, id): (u32, &u16)| Record {
        register: RegisterId(*id),
        unit: Unit::GJ,
        length: 4,
        scale: Scale(0x43),
        value: Value::Number(Decimal::new(i128::from(84_817 + 1_234_567 * place), -3)),
    };
    let records = (0..).zip(&REGISTERS).map(record).collect();
    Reply::Registers(records)
        .encode(Address::METER)
        .expect("four bytes hold these numbers")
}

fn decode(c: &mut Criterion) {
    let wire = answer();
    assert_eq!(wire.len(), 78, "a full answer without escapes");
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function("8 registers, 78 bytes", |b| {
        let mut decoder = Decoder::new();
        b.iter(|| {
            let mut rest = black_box(wire.as_slice());
            let Some(Found::Frame(frame)) = decoder.next(&mut rest) else {
                panic!("a frame")
            };
            let Ok(Answer::Registers(records)) = Answer::decode(&frame) else {
                panic!("registers")
            };
            let mut sum = 0_i128;
            for record in records {
                let Ok(record) = record else {
                    panic!("sound records")
                };
                if let Value::Number(number) = record.value() {
                    sum += number.mantissa();
                }
            }
            sum
        });
    });
    group.finish();
}

fn exchange(c: &mut Criterion) {
    let wire = answer();
    let ids = REGISTERS.map(RegisterId);
    c.bench_function("exchange of 8 registers through a session", |b| {
        let mut session = Session::default();
        b.iter(|| {
            session.start(Task::read(&ids), Instant::default());
            loop {
                match session.poll() {
                    Output::Transmit(_) => {
                        session.handle(Input::Receive(black_box(&wire)), Instant::default());
                    }
                    Output::Event(Event::Done(outcome)) => break outcome.records.len(),
                    Output::Wait(until) => session.handle(Input::Timeout, until),
                    _ => {}
                }
            }
        });
    });
}

criterion_group!(benches, decode, exchange);
criterion_main!(benches);
