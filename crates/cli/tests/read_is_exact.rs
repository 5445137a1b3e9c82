//! `read` gives what the meter says: every digit, in order, with its quality.

mod support;

use heatmeter_catalog::{RegisterId, model};
use heatmeter_simulator::{Config, Model, SimulatedMeter};
use kamstrup_kmp::message::Request;
use kamstrup_kmp::{Instant, Record};
use serde_json::{Value, json};
use support::peer::{request, send, type_answer};
use support::{Peer, Simulated, heatmeter};

/// What the simulated meter says when it is asked in memory.
fn truth(model: Model, registers: &[RegisterId]) -> Vec<Record> {
    let config = Config::new(model).seed(7).speed(0.0);
    SimulatedMeter::new(config).read(registers, Instant::default())
}

fn reading(poll: &Value, register: RegisterId) -> &Value {
    let readings = poll["readings"].as_array().unwrap();
    readings
        .iter()
        .find(|reading| reading["register"] == register.0)
        .unwrap_or_else(|| panic!("{register} is missing: {poll}"))
}

#[test]
fn all_values_of_every_model_are_those_of_the_meter() {
    for simulated in Model::ALL {
        let meter = Simulated::model(&simulated.number().to_string(), &["--seed", "7", "--echo"]);
        let ended = heatmeter(["read", meter.port(), "--json", "--all"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let poll = ended.json();
        let known = model(simulated.slug()).unwrap();
        let asked: Vec<_> = poll["readings"].as_array().unwrap().iter().collect();
        let order: Vec<_> = asked.iter().map(|reading| &reading["register"]).collect();
        let expected: Vec<_> = known.registers.iter().map(|id| json!(id.0)).collect();
        assert!(
            order.iter().copied().eq(&expected),
            "all that are known, in their order"
        );

        let truth = truth(simulated, known.registers);
        assert!(truth.len() > 20, "{simulated}: {}", truth.len());
        for record in &truth {
            let reading = reading(&poll, record.register);
            assert_eq!(
                reading["value"],
                record.value.to_string(),
                "{simulated}: {reading}"
            );
            assert_eq!(
                reading["unit"].as_str(),
                record.unit.symbol(),
                "{simulated}: {reading}"
            );
            assert_eq!(reading["quality"], "good", "{simulated}: {reading}");
        }
        let unsupported = asked
            .iter()
            .filter(|reading| reading["quality"] == "unsupported");
        assert_eq!(
            unsupported.count(),
            asked.len() - truth.len(),
            "{simulated}"
        );
    }
}

#[test]
fn the_object_has_the_keys_of_the_interface_in_their_order() {
    let meter = Simulated::tcp(&["--serial", "84968362", "--echo"]);
    let ended = heatmeter(["read", meter.port(), "--json"]);
    let keys = [
        "{\"time\":\"",
        "Z\",\"port\":\"socket://127.0.0.1:",
        "\",\"meter\":{\"manufacturer\":\"Kamstrup\",",
        "\"model\":\"MULTICAL 403\",\"type\":\"0xf403\",\"software\":\"",
        "\",\"serial\":\"84968362\"},",
        "\"readings\":[{\"register\":60,\"key\":\"heat_energy\",\"value\":\"",
        "\",\"unit\":\"GJ\",\"quality\":\"good\"},",
        "\"line\":{\"requests\":2,\"retries\":0,\"bytes_sent\":29,\"bytes_received\":",
        ",\"seconds\":",
    ];
    let mut rest = ended.stdout.as_str();
    for key in keys {
        let at = rest
            .find(key)
            .unwrap_or_else(|| panic!("{key} is missing in {rest}"));
        rest = &rest[at + key.len()..];
    }
}

#[test]
fn registers_are_named_by_key_or_number_and_come_once_in_the_order_given() {
    let meter = Simulated::tcp(&[]);
    let args = [
        "read",
        meter.port(),
        "--json",
        "flow",
        "0x3c",
        "heat_energy",
        "74",
        "1001",
    ];
    let poll = heatmeter(args).json();
    let order: Vec<_> = poll["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["key"])
        .collect();
    assert_eq!(order, ["flow", "heat_energy", "serial_number"]);
}

#[test]
fn vzlogger_gets_a_line_with_key_value_and_time_for_each_number() {
    let meter = Simulated::tcp(&[]);
    let args = ["heat_energy", "date", "flow"];
    let read = |format: &[&str]| {
        let command = ["read", meter.port(), "--model", "403"];
        heatmeter(command.iter().chain(format).chain(&args))
    };
    let ended = read(&["--format", "vzlogger"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<Vec<_>> = ended
        .stdout
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    let keys: Vec<_> = lines.iter().map(|fields| fields[0]).collect();
    assert_eq!(keys, ["heat_energy", "flow"], "a date is no number");
    let poll = read(&["--json"]).json();
    let energy = reading(&poll, RegisterId(60));
    // vzlogger reads both with C's `%lf`.
    assert_eq!(lines[0][1], energy["value"]);
    let seconds: f64 = lines[0][2].parse().unwrap();
    assert!(seconds > 1_790_000_000.0, "{seconds}");

    let ended = heatmeter(["read", "--format", "vzlogger", "--json", meter.port()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn the_serial_number_costs_no_request() {
    let meter = Simulated::tcp(&["--serial", "84968362"]);
    let poll = heatmeter(["read", meter.port(), "--json", "flow"]).json();
    assert_eq!(poll["meter"]["serial"], "84968362");
    assert_eq!(
        poll["readings"].as_array().unwrap().len(),
        1,
        "it is not among the readings"
    );
    assert_eq!(poll["line"]["requests"], 2);

    let eight = ["60", "68", "74", "80", "86", "87", "89", "99"];
    let poll = heatmeter(["read", meter.port(), "--json"].iter().chain(&eight)).json();
    assert_eq!(
        poll["meter"]["serial"],
        Value::Null,
        "there is no room for it"
    );
    assert_eq!(poll["line"]["requests"], 2);
}

#[test]
fn a_model_that_is_given_is_not_asked_for() {
    let meter = Simulated::tcp(&[]);
    let poll = heatmeter(["read", meter.port(), "--json", "--model", "603", "flow"]).json();
    assert_eq!(poll["meter"]["model"], "MULTICAL 603");
    assert_eq!(poll["meter"]["type"], Value::Null);
    assert_eq!(poll["line"]["requests"], 1);
}

#[test]
fn a_meter_that_nobody_knows_gives_its_registers_all_the_same() {
    // Answers as a MULTICAL 403 does, but says another type.
    let mut meter = SimulatedMeter::new(Config::new(Model::M403).speed(0.0));
    let records = meter.read(&[RegisterId(60), RegisterId(74)], Instant::default());
    let peer = unknown_type(records);
    let ended = heatmeter(["read", &peer.port(), "--json", "60", "74"]);
    let poll = ended.json();
    assert_eq!(poll["meter"]["model"], Value::Null);
    assert_eq!(poll["meter"]["type"], "0x4242");
    assert_eq!(poll["readings"][0]["quality"], "good");
    let ended = heatmeter(["read", &peer.port(), "60", "74"]);
    assert!(
        ended.stdout.contains("Unknown Kamstrup meter, type 0x4242"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stderr.contains("docs/adding-a-meter.md"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_meter_that_does_not_say_its_type_is_read_all_the_same() {
    let mut meter = SimulatedMeter::new(Config::new(Model::M403).speed(0.0));
    let record = meter.read(&[RegisterId(60)], Instant::default());
    let peer = Peer::new(move |stream| {
        while let Some(asked) = request(stream) {
            if asked.command() == 0x10 {
                send(stream, &answer(&record));
            }
        }
    });
    let poll = heatmeter(["read", &peer.port(), "--json", "heat_energy"]).json();
    assert_eq!(poll["meter"]["type"], Value::Null);
    assert_eq!(poll["readings"][0]["quality"], "good");
}

#[test]
fn values_that_the_meter_itself_calls_none_are_invalid_with_a_reason() {
    // Register 138 with a date that the calendar does not have.
    let frame = [
        0x40, 0x3f, 0x10, 0x00, 0x8a, 0x30, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0xd3, 0x33, 0x0d,
    ];
    let peer = Peer::new(move |stream| {
        while let Some(asked) = request(stream) {
            let answer = if asked.command() == 0x01 {
                type_answer()
            } else {
                frame.to_vec()
            };
            send(stream, &answer);
        }
    });
    let poll = heatmeter(["read", &peer.port(), "--json", "138"]).json();
    let reading = &poll["readings"][0];
    assert_eq!(reading["quality"], "invalid");
    assert_eq!(reading["value"], Value::Null);
    assert_eq!(reading["reason"], "no such date: 0");
}

#[test]
fn every_exchange_can_be_recorded_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("line.jsonl");
    let meter = Simulated::tcp(&["--echo"]);
    let record = [
        "read",
        meter.port(),
        "--json",
        "--record",
        file.to_str().unwrap(),
    ];
    let live = heatmeter(record).json();
    let replay = format!("replay://{}", file.display());
    let again = heatmeter(["read", &replay, "--json"]).json();
    assert_eq!(again["readings"], live["readings"]);

    let mut decode = support::command(["decode", "--json"]);
    decode.stdin(std::fs::File::open(&file).unwrap());
    let frames = support::run(decode).objects();
    let commands: Vec<_> = frames.iter().map(|frame| &frame["command"]).collect();
    // Each request, its echo, its answer.
    assert_eq!(
        commands,
        [
            "GetType",
            "GetType",
            "GetType",
            "GetRegister",
            "GetRegister",
            "GetRegister"
        ]
    );
    assert_eq!(frames[5]["registers"].as_array().unwrap().len(), 8);
}

#[test]
fn a_recording_that_cannot_be_written_is_wrong_usage() {
    let ended = heatmeter([
        "read",
        "/dev/ttyS0",
        "--json",
        "--record",
        "/nowhere/line.jsonl",
    ]);
    assert_eq!(ended.failure(), ("usage".to_owned(), 2));
}

fn unknown_type(records: Vec<Record>) -> Peer {
    use kamstrup_kmp::frame::Address;
    use kamstrup_kmp::message::{MeterType, Software};
    use kamstrup_kmp::responder::Reply;

    let meter_type = MeterType {
        code: 0x4242,
        software: Software(0x0101),
    };
    let meter_type = Reply::Type(meter_type).encode(Address::METER).unwrap();
    Peer::new(move |stream| {
        while let Some(asked) = request(stream) {
            let answer = if asked.command() == 0x01 {
                meter_type.clone()
            } else {
                answer(&records)
            };
            send(stream, &answer);
        }
    })
}

fn answer(records: &[Record]) -> Vec<u8> {
    use kamstrup_kmp::frame::Address;
    use kamstrup_kmp::responder::Reply;

    Reply::Registers(records.to_vec())
        .encode(Address::METER)
        .unwrap()
}

#[test]
fn a_request_that_is_never_answered_costs_only_its_own_registers() {
    // Nine registers are two requests; what comes to the second one is always damaged.
    let mut meter = SimulatedMeter::new(Config::new(Model::M403).speed(0.0));
    let ids = [60, 68, 74, 80, 86, 87, 89, 99].map(RegisterId);
    let records = meter.read(&ids, Instant::default());
    let peer = Peer::new(move |stream| {
        while let Some(asked) = request(stream) {
            let damaged = [0x40, 0x3f, 0x10, 0x03, 0xec, 0x2e, 0x04, 0x00, 0x0d];
            match asked {
                Request::GetType => send(stream, &type_answer()),
                Request::GetRegister(batch) if batch.ids() == ids => {
                    send(stream, &answer(&records))
                }
                _ => send(stream, &damaged),
            };
        }
    });
    let numbers = ids.map(|id| id.to_string());
    let mut args = vec!["read", "--json", "--deadline", "5s"];
    let port = peer.port();
    args.push(&port);
    args.extend(numbers.iter().map(String::as_str));
    args.push("hour_counter");
    let ended = heatmeter(args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let poll = ended.json();
    let qualities: Vec<_> = poll["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reading| &reading["quality"])
        .collect();
    assert_eq!(&qualities[..8], ["good"; 8]);
    assert_eq!(qualities[8], "unanswered");
}
