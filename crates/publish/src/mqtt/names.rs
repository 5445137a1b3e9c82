//! The names of entities that are no registers, in every language: as the Home Assistant
//! integration has them.

use heatmeter_catalog::Language;

/// A name in the order of [`Language::ALL`].
pub(super) struct Name([&'static str; 8]);

impl Name {
    pub(super) fn in_language(&self, language: Language) -> &'static str {
        self.0[language as usize]
    }
}

pub(super) const LAST_READ: Name = Name([
    "Last read",
    "Laatst uitgelezen",
    "Sidst aflæst",
    "Zuletzt gelesen",
    "Senast avläst",
    "Viimeksi luettu",
    "Sist avlest",
    "Ostatni odczyt",
]);

pub(super) const VERDICT: Name = Name([
    "Verdict",
    "Bevinding",
    "Resultat",
    "Befund",
    "Resultat",
    "Tulos",
    "Resultat",
    "Wynik",
]);

pub(super) const LINE_QUALITY: Name = Name([
    "Line quality",
    "Lijnkwaliteit",
    "Linjekvalitet",
    "Leitungsgüte",
    "Linjekvalitet",
    "Linjan laatu",
    "Linjekvalitet",
    "Jakość linii",
]);

pub(super) const INFO: Name = Name([
    "Info",
    "Meldingen",
    "Meldinger",
    "Meldungen",
    "Meddelanden",
    "Ilmoitukset",
    "Meldinger",
    "Komunikaty",
]);

pub(super) const PROBLEM: Name = Name([
    "Problem", "Probleem", "Problem", "Problem", "Problem", "Ongelma", "Problem", "Problem",
]);

pub(super) const READ_NOW: Name = Name([
    "Read now",
    "Nu uitlezen",
    "Aflæs nu",
    "Jetzt lesen",
    "Läs av nu",
    "Lue nyt",
    "Les av nå",
    "Odczytaj teraz",
]);
