//! A data file that makes no sense fails the build, and says where and why.
//!
//! Each test takes the real files, breaks one thing, and looks at the message a person would get.

use std::path::Path;

#[path = "../build/compiler/mod.rs"]
mod compiler;

use compiler::{Files, compile, read_folder};

#[test]
fn the_files_as_they_are_have_no_errors() {
    assert_eq!(errors(&files()), [""; 0]);
}

#[test]
fn a_register_key_nobody_knows() {
    let broken = Broken::new("multical-403.toml").replace("\"heat_energy\"", "\"heat_enery\"");
    broken.expect("unknown register key \"heat_enery\", did you mean \"heat_energy\"?");
}

#[test]
fn a_field_nobody_knows() {
    let broken = Broken::new("registers.toml").replace("tier = \"poll\"", "teir = \"poll\"");
    let message = broken.first_error();
    assert!(
        message.contains("unknown field `teir`, expected one of `id`, `key`"),
        "{message}"
    );
}

#[test]
fn a_field_that_is_missing() {
    let broken = Broken::new("registers.toml").replace("tier = \"poll\"\n", "");
    let message = broken.first_error();
    assert!(message.ends_with("missing field `tier`"), "{message}");
}

#[test]
fn text_that_is_not_toml() {
    let broken =
        Broken::new("infocodes.toml").replace("key = \"low_battery\"", "key = low battery");
    let message = broken.first_error();
    assert!(message.starts_with(&broken.place()), "{message}");
}

#[test]
fn a_register_number_that_stands_twice() {
    let first = Broken::new("registers.toml").line_of("id = 60\n");
    let broken = Broken::new("registers.toml").replace("id = 61\n", "id = 60\n");
    broken.expect(&format!(
        "register id 60 stands twice, the first time in line {first}"
    ));
}

#[test]
fn a_register_key_that_stands_twice() {
    let first = Broken::new("registers.toml").line_of("id = 60\n");
    let broken =
        Broken::new("registers.toml").replace("key = \"flow_energy\"", "key = \"heat_energy\"");
    broken.expect(&format!(
        "register key \"heat_energy\" stands twice, the first time in line {first} for 60"
    ));
}

#[test]
fn a_register_key_that_is_no_key() {
    let broken =
        Broken::new("registers.toml").replace("key = \"register_515\"", "key = \"Reg 515\"");
    broken.expect("register key \"Reg 515\" is not made of a-z, 0-9 and _");
}

#[test]
fn a_language_that_is_missing() {
    let broken = Broken::new("registers.toml").replace(", pl = \"Energia cieplna\"", "");
    broken.expect("register \"heat_energy\" has no label in \"pl\"");
    let broken = Broken::new("infocodes.toml").replace("fi = \"Ulkoinen hälytys\"", "fi = \"\"");
    broken.expect("info flag \"external_alarm\" has no label in \"fi\"");
}

#[test]
fn a_language_nobody_asked_for() {
    let broken =
        Broken::new("registers.toml").replace("nb = \"Varmeenergi\"", "no = \"Varmeenergi\"");
    let message = broken.first_error();
    assert!(
        message.contains("unknown field `no`, expected one of `en`, `nl`"),
        "{message}"
    );
}

#[test]
fn a_unit_nobody_knows() {
    let broken = Broken::new("registers.toml").replace("\"kvarh\"", "\"kvahr\"");
    broken.expect("unknown unit \"kvahr\", did you mean \"kvarh\"?");
}

#[test]
fn a_unit_home_assistant_refuses_for_the_class() {
    let broken = Broken::new("registers.toml").replace("units = [\"K\"]", "units = [\"m³/h\"]");
    broken.expect(
        "device class \"temperature_delta\" does not go with unit \"m³/h\", it takes K, °C",
    );
}

#[test]
fn a_state_class_home_assistant_refuses_for_the_class() {
    let broken = Broken::new("registers.toml").replace(
        "device_class = \"energy\"\nstate_class = \"total_increasing\"",
        "device_class = \"energy\"\nstate_class = \"measurement\"",
    );
    broken.on_line(1).expect(
        "device class \"energy\" does not go with state class \"measurement\", \
         it takes total or total_increasing",
    );
}

#[test]
fn classes_nobody_knows() {
    let broken = Broken::new("registers.toml").replace(
        "device_class = \"temperature_delta\"",
        "device_class = \"temperature_dleta\"",
    );
    broken
        .expect("unknown device class \"temperature_dleta\", did you mean \"temperature_delta\"?");
    let broken = Broken::new("registers.toml").replace(
        "entity_category = \"diagnostic\"",
        "entity_category = \"diagnosis\"",
    );
    broken.expect("unknown entity category \"diagnosis\", did you mean \"diagnostic\"?");
    let broken = Broken::new("registers.toml")
        .replace("state_class = \"measurement\"", "state_class = \"x\"");
    broken.expect("unknown state class \"x\"");
}

#[test]
fn words_nobody_knows() {
    let broken = Broken::new("registers.toml").replace("tier = \"daily\"", "tier = \"dayly\"");
    broken.expect("unknown tier \"dayly\", did you mean \"daily\"?");
    let broken = Broken::new("registers.toml").replace("kind = \"flow\"", "kind = \"flwo\"");
    broken.expect("unknown kind \"flwo\", did you mean \"flow\"?");
    let broken = Broken::new("registers.toml").replace("[\"vendor-601\"", "[\"vendor-610\"");
    broken.expect("unknown source \"vendor-610\", did you mean \"vendor-601\"?");
    let broken =
        Broken::new("infocodes.toml").replace("severity = \"problem\"", "severity = \"grave\"");
    broken.expect("unknown severity \"grave\"");
    let broken = Broken::new("multical-403.toml").replace("medium = \"heat\"", "medium = \"head\"");
    broken.expect("unknown medium \"head\", did you mean \"heat\"?");
    let broken = Broken::new("multical-403.toml").replace("kind = \"real\"", "kind = \"reel\"");
    broken.expect("unknown capture kind \"reel\", did you mean \"real\"?");
}

#[test]
fn an_icon_from_nowhere() {
    let broken = Broken::new("registers.toml").replace("\"mdi:radiator\"", "\"radiator\"");
    broken.expect("icon \"radiator\" does not begin with \"mdi:\"");
}

#[test]
fn a_group_whose_members_would_be_alike() {
    let broken = Broken::new("registers.toml").replace(
        "key = \"flow_histogram_time_{n}\"",
        "key = \"flow_histogram_time\"",
    );
    broken.expect("\"flow_histogram_time\" stands for several registers and has no {n}");
}

#[test]
fn an_info_table_or_flag_nobody_knows() {
    let broken = Broken::new("multical-403.toml")
        .replace("info = \"multical-403\"", "info = \"multical-40\"");
    broken.expect("unknown info table \"multical-40\", did you mean \"multical-403\"?");
    let broken =
        Broken::new("infocodes.toml").replace("flag = \"low_battery\"", "flag = \"low_batery\"");
    broken.expect("unknown info flag \"low_batery\", did you mean \"low_battery\"?");
}

#[test]
fn info_flags_in_places_that_do_not_exist() {
    let broken =
        Broken::new("infocodes.toml").replace("digits = \"9.......\"", "digits = \"9......\"");
    broken.expect("\"9......\" is not a pattern of eight digits and dots");
    let broken = Broken::new("infocodes.toml").replace("bit = 15,", "bit = 32,");
    broken.expect("bit 32 is beyond the 32 of a word");
    let broken = Broken::new("infocodes.toml").replace("bit = 15,", "bit = 14,");
    broken.expect("two flags have the same place, bit: Some(14), digits: &[]");
    let broken = Broken::new("infocodes.toml").replace("{ bit = 15,", "{ digits = \"9.......\",");
    broken.expect("an entry of this coding has a flag and `bit`");
}

#[test]
fn usual_registers_that_are_too_many_or_not_there() {
    let nine = "usual = [\"clock\",";
    let broken = Broken::new("multical-403.toml").replace("usual = [", nine);
    broken.expect("usual has 9 registers, one request asks for 1 to 8");
    let broken = Broken::new("multical-403.toml").replace(
        "    \"serial_number\",\n]\nregisters",
        "    \"voltage_l1\",\n]\nregisters",
    );
    broken.expect("usual register \"voltage_l1\" is not among the model's registers");
}

#[test]
fn a_register_that_stands_twice_in_a_model() {
    let broken = Broken::new("multical-403.toml").replace("inferred = [", "inferred = [\"clock\",");
    broken.expect("register \"clock\" stands twice");
}

#[test]
fn two_families_of_one_name() {
    let broken = Broken::new("multical-603.toml").replace("\"MC603\"", "\"MC403\"");
    broken.expect("name \"MC403\" is also one of meters/multical-403.toml");
    let broken = Broken::new("water.toml").replace("slug = \"water\"", "slug = \"waters\"");
    broken.expect("slug \"waters\" is not the name of this file");
}

#[test]
fn types_that_two_families_claim() {
    let broken = Broken::new("multical-603.toml")
        .replace("simulated_type = 0xf603", "simulated_type = 0xf403");
    broken.expect("simulated_type 0xf403 is also that of meters/multical-403.toml");
    let broken = Broken::new("multical-603.toml")
        .replace("simulated_type = 0xf603", "simulated_type = 0x0603");
    broken.expect("simulated_type 0x0603 is not in 0xf000 to 0xffff");
    let broken =
        Broken::new("water.toml").replace("[[identity]]\n", "[[identity]]\ntypes = [0x0001]\n");
    broken.expect("type 0x0001 also tells meters/multical-601.toml");
}

#[test]
fn an_identity_rule_without_a_condition() {
    let broken = Broken::new("water.toml").replace("prefix = \"KWM2231\"\n", "");
    let message = broken.first_error();
    assert!(
        message.contains("`register` and `prefix` go together"),
        "{message}"
    );
}

#[test]
fn a_limit_that_is_no_amount() {
    let broken = Broken::new("multical-403.toml").replace("\"60 m³/h\"", "\"60 l/h\"");
    broken.expect("\"60 l/h\" is not a decimal number in m³/h");
    let broken =
        Broken::new("multical-403.toml").replace("value = \"0.00 °C\"", "value = \"none\"");
    broken.expect("\"none\" is not a decimal number in a unit");
}

#[test]
fn a_capture_that_is_not_bytes() {
    let capture = "request = \"80 3f 10 01 03 ea 4c b7 0d\"";
    let broken = Broken::new("multical-403.toml").replace(capture, "request = \"80 3f zz\"");
    broken.expect("request of capture \"kmp-015\" is not hexadecimal");
    let broken = Broken::new("multical-403.toml").replace(capture, "request = \"80 3f 1\"");
    broken.expect("request of capture \"kmp-015\" has half a byte");
    let broken = Broken::new("multical-403.toml").replace(capture, "request = \"\"");
    broken.expect("request of capture \"kmp-015\" is empty");
}

#[test]
fn a_capture_that_stands_twice_in_different_files() {
    let first = Broken::new("multical-403.toml").line_of("id = \"kmp-015\"");
    let broken = Broken::new("unknown.toml").replace("id = \"kmp-006\"", "id = \"kmp-015\"");
    broken.expect(&format!(
        "capture \"kmp-015\" stands twice, the first time at meters/multical-403.toml:{first}"
    ));
}

#[test]
fn a_file_that_is_missing() {
    for name in ["registers.toml", "infocodes.toml", "unknown.toml"] {
        let mut files = files();
        files.remove(name);
        let message = format!("meters/{name}:1: this file is missing");
        assert!(errors(&files).contains(&message), "{name}");
    }
}

/// The real files with one thing broken.
struct Broken {
    name: &'static str,
    files: Files,
    line: usize,
}

impl Broken {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            files: files(),
            line: 0,
        }
    }

    /// Replaces the first place where something stands.
    fn replace(mut self, what: &str, with: &str) -> Self {
        self.line = self.line_of(what);
        let text = self.files.get_mut(self.name).expect("the file is there");
        *text = text.replacen(what, with, 1);
        self
    }

    /// The error is expected so many lines behind the beginning of what was replaced.
    fn on_line(mut self, further: usize) -> Self {
        self.line += further;
        self
    }

    fn line_of(&self, what: &str) -> usize {
        let text = &self.files[self.name];
        let offset = text
            .find(what)
            .unwrap_or_else(|| panic!("no {what} in {}", self.name));
        text[..offset].matches('\n').count() + 1
    }

    fn place(&self) -> String {
        format!("meters/{}:{}: ", self.name, self.line)
    }

    fn first_error(&self) -> String {
        errors(&self.files)
            .into_iter()
            .next()
            .expect("this is wrong")
    }

    /// The message is among the errors, on the line that was broken.
    fn expect(self, reason: &str) {
        let wanted = format!("{}{reason}", self.place());
        let found = errors(&self.files);
        assert!(
            found.contains(&wanted),
            "{wanted}\nis not in\n{}",
            found.join("\n")
        );
    }
}

fn files() -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../meters");
    read_folder(&folder).expect("the folder can be read")
}

fn errors(files: &Files) -> Vec<String> {
    let problems = compile(files).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}
