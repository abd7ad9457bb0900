//! Forgetting counts that are too old to count.

use mail::UnixMillis;

use super::count::slot_of;
use super::habits::{DAY_MILLIS, HABIT_DAYS, HOUR_MILLIS};
use crate::engine::Param;
use crate::limits::{ALARMS_AGE_MILLIS, SENDING_NETWORKS_AGE_MILLIS};
use crate::{Durability, Store, StoreError};

impl Store {
    /// Call it every hour or so.
    pub async fn tidy_sending(&self, now: UnixMillis) -> Result<(), StoreError> {
        let day_ago = UnixMillis(now.0 - DAY_MILLIS);
        let old: [(&'static str, i64); 6] = [
            ("DELETE FROM sending_slot WHERE slot < ?1", slot_of(day_ago)),
            (
                "DELETE FROM sending_hour WHERE hour < ?1",
                (now.0 - (HABIT_DAYS + 1) * DAY_MILLIS).div_euclid(HOUR_MILLIS),
            ),
            (
                "DELETE FROM sending_network WHERE last < ?1",
                now.0 - SENDING_NETWORKS_AGE_MILLIS,
            ),
            (
                "DELETE FROM sending_alarm WHERE at < ?1 AND told > 0 AND ended IS NOT NULL",
                now.0 - ALARMS_AGE_MILLIS,
            ),
            (
                "DELETE FROM sending_message WHERE message <= ?1 AND NOT EXISTS \
                 (SELECT 1 FROM queue_message WHERE queue_message.id = sending_message.message)",
                i64::MAX,
            ),
            (
                "DELETE FROM sending_group WHERE last < ?1 AND NOT EXISTS \
                 (SELECT 1 FROM sending_message WHERE sending_message.grp = sending_group.id)",
                day_ago.0,
            ),
        ];
        for (sql, before) in old {
            self.write_bulk(Durability::Relaxed, move |change| {
                change.sql.execute(sql, &[Param::Int(before)]).map(drop)
            })
            .await?;
        }
        Ok(())
    }
}
