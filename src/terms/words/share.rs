//! `E-BRK-SHARE`: why collectors of a group do not leave it to the broker to divide the records among them.

use super::Words;

/// Granted and not delivered.
pub const SHARE_SILENT: Words = Words {
    zh: "MQTT 服务器同意共享订阅，却不投递：各采集程序改按行政区划分担，数据不丢；请检查其 ACL（coldhearth/v1/share/#）或更换支持共享订阅的服务器",
    en: "the broker grants the shared subscription and delivers nothing on it; the collectors divide the work by division \
         codes instead and nothing is lost: look at its ACL (coldhearth/v1/share/#), or use a broker that shares",
};
/// Delivered to everybody.
pub const SHARE_DOUBLED: Words = Words {
    zh: "MQTT 服务器把每条消息投递给组内每个成员，并未共享：各采集程序改按行政区划分担；请确认各成员使用同一组名，或更换服务器",
    en: "the broker delivers each message to every member of the group, which is no sharing; the collectors divide the work \
         by division codes instead: look whether all members name one group, or use another broker",
};
/// Delivered in part to somebody else.
pub const SHARE_LEAKY: Words = Words {
    zh: "共享订阅的部分消息无人收到，疑有外人以同一组名订阅：各采集程序改按行政区划分担；请在各成员的 [share] 中换用新的、不可猜测的 group，并在服务器日志中查出订阅 $share/<组名> 的客户端",
    en: "part of what the shared subscription should bring reaches no member: somebody else may be subscribed under the \
         group's name; the collectors divide the work by division codes instead: give all members a new `group` under \
         [share] that nobody can guess, and look in the broker's log who subscribed to $share/ and the old name",
};
/// Said so itself.
pub const SHARE_WITHHELD: Words = Words {
    zh: "MQTT 服务器拒绝共享订阅：各采集程序改按行政区划分担，数据不丢；请在服务器中开启共享订阅，或去掉 [share]",
    en: "the broker refuses shared subscriptions; the collectors divide the work by division codes instead and nothing is \
         lost: allow them in the broker, or use another one",
};
/// Too old to know of it.
pub const SHARE_OLD: Words = Words {
    zh: "MQTT 服务器不支持 MQTT 5，不能可靠共享订阅：各采集程序改按行政区划分担，数据不丢；请升级服务器",
    en: "the broker knows no MQTT 5 and so no reliable sharing; the collectors divide the work by division codes instead \
         and nothing is lost: use a broker that speaks MQTT 5",
};
