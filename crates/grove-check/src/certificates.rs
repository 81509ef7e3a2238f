//! How long sealing certificates are valid.

use crate::view::View;

/// How long before its end a certificate is worth a warning, in seconds: 30 days.
pub(crate) const SOON: i64 = 30 * 24 * 60 * 60;

/// Each cluster with the seconds that its certificate has left and the day on which it ends; none
/// where the time is not known.
pub(crate) fn lifetimes<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a str, i64, String)> {
    let now = view.context.now;
    view.fleet
        .clusters
        .iter()
        .filter_map(move |(name, cluster)| {
            let end = cluster.sealing.as_ref()?.not_after;
            let day = jiff::Timestamp::from_second(end).map_or_else(
                |_| "a day out of range".to_owned(),
                |time| time.strftime("%Y-%m-%d").to_string(),
            );
            Some((name.as_str(), end.saturating_sub(now?.as_second()), day))
        })
}
