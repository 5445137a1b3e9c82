//! Where nothing was read for longer than usual, and what explains it.

use jiff::Timestamp;
use kamstrup_kmp::Verdict;
use rusqlite::{Connection, Result, params};

use crate::rollup::{self, Level};
use crate::row::Millisecond;
use crate::series::{Gap, Piece, Stretch};

/// Polls that came to a bad verdict, one after the other.
struct Outage {
    verdict: Verdict,
    began: Timestamp,
    ended: Timestamp,
}

/// The gaps of a stretch, as far as they are wide enough to be seen.
pub(crate) fn gaps(
    connection: &Connection,
    meter: i64,
    stretch: Stretch,
    pieces: &[Piece],
    width: i64,
) -> Result<Vec<Gap>> {
    let Some((oldest, _)) = rollup::outermost(connection, meter)? else {
        return Ok(Vec::new());
    };
    let newest: Option<Millisecond> = connection
        .prepare_cached("SELECT max(at) FROM polls WHERE meter = ?")?
        .query_row([meter], |row| row.get(0))?;
    let end = newest.map_or(stretch.to, |Millisecond(at)| at.min(stretch.to));
    let distances: Vec<i64> = pieces
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] => Some(distance(before, after)),
            _ => None,
        })
        .collect();
    let mut found: Vec<(Timestamp, Timestamp)> = Vec::new();
    let first = pieces.first().map_or(end, |piece| piece.rollup.first.0);
    let last = pieces.last().map(|piece| piece.rollup.last.0);
    // The edges count if something was read before, and something was tried after.
    if oldest < stretch.from && is_longer(stretch.from, first, usual_distance(&distances, 0)) {
        found.push((stretch.from, first));
    }
    for (place, (pair, distance)) in pieces.windows(2).zip(&distances).enumerate() {
        let [before, after] = pair else { continue };
        let slot = before.length().max(after.length());
        // Most are no longer than the slot, whatever is usual.
        if distance * 10 > slot * 18
            && distance * 10 > usual_distance(&distances, place).max(slot) * 18
        {
            found.push((before.rollup.last.0, after.rollup.first.0));
        }
    }
    if let Some(last) = last
        && is_longer(last, end, usual_distance(&distances, distances.len()))
    {
        found.push((last, end));
    }
    found.retain(|(from, to)| to.as_millisecond() - from.as_millisecond() >= width);
    let outages = outages(connection, meter, stretch)?;
    let gaps = found.into_iter().map(|(from, to)| Gap {
        from,
        to,
        verdict: longest(&outages, from, to),
    });
    Ok(gaps.collect())
}

/// How far apart pieces usually are around a place, in milliseconds: the median. Only around it, because
/// schedules are changed.
fn usual_distance(distances: &[i64], place: usize) -> i64 {
    const AROUND: usize = 4;

    let to = (place + AROUND + 1).min(distances.len());
    let mut near: Vec<_> = distances
        .get(place.saturating_sub(AROUND)..to)
        .unwrap_or_default()
        .to_vec();
    near.sort_unstable();
    near.get(near.len() / 2).copied().unwrap_or(0)
}

/// How far apart two pieces begin; slots of roll-ups as a whole, wherever in them something was read.
fn distance(before: &Piece, after: &Piece) -> i64 {
    let begin = |piece: &Piece| {
        let first = piece.rollup.first.0;
        match piece.level {
            Some(level) => level.slot(first) * level.length(),
            None => first.as_millisecond(),
        }
    };
    begin(after) - begin(before)
}

fn is_longer(from: Timestamp, to: Timestamp, usual: i64) -> bool {
    let usual = usual.max(Level::Hour.length());
    (to.as_millisecond() - from.as_millisecond()) * 10 > usual * 18
}

fn outages(connection: &Connection, meter: i64, stretch: Stretch) -> Result<Vec<Outage>> {
    connection
        .prepare_cached(
            "SELECT verdict, began, ended FROM outages
             WHERE meter = ?1 AND began < ?3 AND (ended IS NULL OR ended > ?2) ORDER BY began",
        )?
        .query_map(
            params![
                meter,
                stretch.from.as_millisecond(),
                stretch.to.as_millisecond()
            ],
            |row| {
                let code: String = row.get(0)?;
                let Millisecond(began) = row.get(1)?;
                let ended: Option<Millisecond> = row.get(2)?;
                Ok(Verdict::from_code(&code).map(|verdict| Outage {
                    verdict,
                    began,
                    ended: ended.map_or(Timestamp::MAX, |Millisecond(at)| at),
                }))
            },
        )?
        .filter_map(Result::transpose)
        .collect()
}

/// The verdict that lasted longest within a gap.
fn longest(outages: &[Outage], from: Timestamp, to: Timestamp) -> Option<Verdict> {
    let mut shares: Vec<(Verdict, i64)> = Vec::new();
    let first = outages.partition_point(|outage| outage.ended <= from);
    for outage in outages.iter().skip(first) {
        if outage.began >= to {
            break;
        }
        let share = outage.ended.min(to).as_millisecond() - outage.began.max(from).as_millisecond();
        match shares
            .iter_mut()
            .find(|(verdict, _)| *verdict == outage.verdict)
        {
            Some((_, all)) => *all += share,
            None => shares.push((outage.verdict, share)),
        }
    }
    let most = shares.into_iter().max_by_key(|(_, share)| *share);
    most.map(|(verdict, _)| verdict)
}
