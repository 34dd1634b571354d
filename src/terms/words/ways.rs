//! Why a bus or a broker cannot be reached, or refuses: each cause with the next step, and the code that the log names it by.

use super::Words;

// What stands between us and a bus: cause and next step.

/// No such serial device.
pub const NO_DEVICE: Words = Words {
    zh: "没有该串口设备；请检查适配器是否插好、路径是否正确",
    en: "there is no such serial device; see whether the adapter is plugged in and the path is right",
};
/// A serial device that is not for us.
pub const DEVICE_FORBIDDEN: Words = Words {
    zh: "无权打开串口设备；请将运行用户加入 dialout 组",
    en: "the serial device may not be opened; add the program's user to the group dialout",
};
/// A serial device that another program has.
pub const DEVICE_TAKEN: Words = Words {
    zh: "串口设备被另一程序占用；请先停止该程序",
    en: "another program has the serial device; stop it first",
};
/// A line on which somebody always talks.
pub const LINE_NOT_SILENT: Words = Words {
    zh: "线路始终不静默；可能有另一主站、波特率不符或接线有误",
    en: "the line does not fall silent: another master, a wrong baud rate, or bad wiring",
};
/// A port that takes connections and questions, and answers none.
pub const BUS_NOT_SERVED: Words = Words {
    zh: "端口已开放但无应答；网关可能只服务一个客户端，请检查是否有另一主站",
    en: "the port is open and nobody answers: does another master hold the only connection of this gateway?",
};
/// A bus that refuses our certificate.
pub const BUS_CERTIFICATE_REFUSED: Words = Words {
    zh: "对方拒绝我们的证书；请核对 [[bus]] 的 tls 中的 certificate 与 key",
    en: "the other side refuses our certificate; check `certificate` and `key` in the `tls` of this [[bus]]",
};
/// A bus whose certificate is not believed.
pub const BUS_PEER_NOT_BELIEVED: Words = Words {
    zh: "对方的证书不可信；请核对 [[bus]] 的 tls 中的 ca 与 server_name",
    en: "the other side's certificate is not believed; check `ca` and `server_name` in the `tls` of this [[bus]]",
};
/// A program without serial lines.
pub const NO_SERIAL_LINES: Words = Words {
    zh: "本程序未编译串口支持（功能 serial）",
    en: "this program was built without the feature `serial`",
};

// What a broker, or the way to it, may have against us: cause and next step.

/// Nobody subscribes to the topic, so the broker kept nothing.
pub const NO_SUBSCRIBER: Words = Words {
    zh: "无人订阅该主题；记录留在日志中等待",
    en: "nobody subscribes; the record waits in the journal",
};
/// A limit of the broker.
pub const BROKER_QUOTA: Words = Words {
    zh: "已达 MQTT 服务器的配额；请提高配额或等待",
    en: "a quota of the broker is reached; raise it or wait",
};
/// The login.
pub const LOGIN_REFUSED: Words = Words {
    zh: "MQTT 服务器拒绝此登录；请核对用户名、密码文件和允许的客户端",
    en: "the broker refuses this login; check user, password file and the clients it allows",
};
/// The access rules, at one topic.
pub const TOPIC_FORBIDDEN: Words = Words {
    zh: "MQTT 服务器的访问规则不允许此主题；请在其 ACL 中为本客户端开放 coldhearth/v1/#",
    en: "the broker's access rules forbid this topic; allow this client coldhearth/v1/# in its ACL",
};
/// Somebody else connected under our name.
pub const TAKEN_OVER: Words = Words {
    zh: "另一客户端在使用我们的客户端标识；两个网关程序不得共用网关编号和企业代码，两个采集程序不得共用客户端标识",
    en: "another client uses our client id; two agents must not share gateway id and enterprise, nor two collectors a client id",
};
/// The broker hangs up again and again, without a word.
pub const HUNG_UP: Words = Words {
    zh: "MQTT 服务器一再接受我们，随即不说原因地断开：多半另一客户端在使用我们的客户端标识；两个网关程序不得共用网关编号和企业代码，两个采集程序不得共用客户端标识；MQTT 服务器的日志会说明",
    en: "the broker takes us and hangs up again and again without a word: most likely another client uses our client id; two agents must not share gateway id and enterprise, nor two collectors a client id; the broker's log tells",
};
/// A packet that cannot be taken.
pub const PACKET_TOO_LARGE: Words = Words {
    zh: "有人发布了超过 320 KiB 的消息，MQTT 服务器把它转发给了我们；我们请服务器丢弃为我们保存的全部消息后重新连接，缺失的记录将另行索取；请在 MQTT 服务器上限制消息大小（mosquitto：max_packet_size 262144；nats-server：max_payload 262144）",
    en: "somebody published a message of more than 320 KiB and the broker brought it; we connect again once the broker has let go of all it kept for us, and records that are missing are asked for; limit the size of messages at the broker (mosquitto: max_packet_size 262144; nats-server: max_payload 262144)",
};
/// The protocol's version.
pub const NO_COMMON_VERSION: Words = Words {
    zh: "MQTT 服务器既不接受 MQTT 5 也不接受 3.1.1；请升级 MQTT 服务器",
    en: "the broker takes neither MQTT 5 nor 3.1.1; upgrade it",
};
/// Any other reason of the broker.
pub const REFUSED_BY_BROKER: Words =
    Words { zh: "MQTT 服务器拒绝；原因见其日志", en: "the broker refused; its log says why" };
/// Nobody answers at the address.
pub const BROKER_UNREACHABLE: Words = Words {
    zh: "该地址没有 MQTT 服务器；请核对主机、端口及其是否运行",
    en: "no broker at that address; check host, port and that it runs",
};
/// The connection broke.
pub const CONNECTION_BROKEN: Words = Words {
    zh: "与 MQTT 服务器的连接中断；正在重连",
    en: "the connection to the broker broke; connecting again",
};
/// Whoever answers closed the connection at our first word.
pub const CONNECTION_DROPPED: Words = Words {
    zh: "对方接受连接后立即关闭；该端口可能要求 TLS（请配置 tls），或不是 MQTT 端口",
    en: "whoever answers closes the connection at our greeting; the port may want TLS (configure `tls`) or be no MQTT port",
};
/// The broker stopped answering.
pub const BROKER_SILENT: Words = Words {
    zh: "MQTT 服务器不再应答；正在重连",
    en: "the broker stopped answering; connecting again",
};
/// We took leave ourselves.
pub const DISCONNECTED: Words = Words { zh: "已按要求断开", en: "disconnected on request" };
/// We took leave ourselves, to come back with a new certificate.
pub const CERTIFICATE_RENEWED: Words = Words {
    zh: "证书文件已更新；正在用新证书重连",
    en: "the certificate files are new; connecting again with them",
};
/// We took leave ourselves, to be brought again what we had passed over.
pub const BROUGHT_AGAIN: Words = Words {
    zh: "数据库已赶上；正在重连，以取回积压时未能收下的消息",
    en: "the database has caught up; connecting again for the messages that could not be taken meanwhile",
};
/// Our authority did not issue the broker's certificate.
pub const AUTHORITY_UNKNOWN: Words = Words {
    zh: "MQTT 服务器的证书不是由我们的 CA 签发；请在 `ca` 中给出签发它的 CA，否则有人冒充 MQTT 服务器",
    en: "the broker's certificate was not issued by our authority; name the authority that issued it in `ca`, or somebody poses as the broker",
};
/// The broker's certificate has expired.
pub const BROKER_EXPIRED: Words = Words {
    zh: "MQTT 服务器的证书已过期；请在 MQTT 服务器上更新证书，并核对本机时钟",
    en: "the broker's certificate has expired; renew it at the broker, and check this machine's clock",
};
/// The broker's certificate is not valid yet.
pub const BROKER_NOT_YET_VALID: Words = Words {
    zh: "MQTT 服务器的证书尚未生效；请先核对本机时钟，再核对证书的起始日期",
    en: "the broker's certificate is not valid yet; check this machine's clock first, then the date the certificate begins",
};
/// The broker's certificate is for another host.
pub const WRONG_NAME: Words = Words {
    zh: "MQTT 服务器的证书属于另一主机；请按证书中的名称填写 `host`，或设置 `server_name`",
    en: "the broker's certificate is for another host; write `host` as the certificate does, or set `server_name`",
};
/// The broker's certificate cannot be used for another reason.
pub const BROKER_CERTIFICATE: Words = Words {
    zh: "MQTT 服务器的证书无法使用；请让其 CA 签发一张用于服务器的 X.509 v3 证书",
    en: "the broker's certificate cannot be used; have its authority issue an X.509 v3 certificate for servers",
};
/// The broker wants a certificate of us, and we have none.
pub const CERTIFICATE_MISSING: Words = Words {
    zh: "MQTT 服务器要求客户端证书而我们没有；请设置 `certificate` 和 `key`",
    en: "the broker wants a client certificate and we show none; set `certificate` and `key`",
};
/// The broker does not trust our certificate.
pub const CERTIFICATE_UNTRUSTED: Words = Words {
    zh: "MQTT 服务器不信任我们的客户端证书；请用它所信任的 CA 签发证书，或让它信任我们的 CA",
    en: "the broker does not trust our client certificate; have it issued by an authority the broker trusts, or let the broker trust ours",
};
/// Our certificate has expired.
pub const CERTIFICATE_EXPIRED: Words = Words {
    zh: "我们的客户端证书已过期；请放入新的证书和密钥文件，无需重启",
    en: "our client certificate has expired; put new certificate and key files in place, no restart needed",
};
/// Whoever answers does not speak TLS.
pub const NOT_TLS: Words = Words {
    zh: "该端口不使用 TLS；请核对端口（TLS 通常为 8883），或去掉 `tls`",
    en: "that port does not speak TLS; check the port (8883 is usual for TLS), or leave `tls` out",
};
/// The two sides find no way to encrypt that both know.
pub const NO_COMMON_TLS: Words = Words {
    zh: "双方没有共同的加密方式；请让 MQTT 服务器支持 TLS 1.2 或 1.3，若它要求客户端证书则设置 `certificate` 和 `key`",
    en: "no way to encrypt that both sides know; let the broker offer TLS 1.2 or 1.3, and if it wants a client certificate set `certificate` and `key`",
};
/// Our own certificate files cannot be used.
pub const CERTIFICATE_FILES_UNFIT: Words = Words {
    zh: "证书文件无法使用；具体见日志，更正后自动重试",
    en: "our certificate files cannot be used; the log says which and why, and they are read again by themselves",
};

/// Every code of a bus, with its words.
pub const BUS_CODES: [(&str, Words); 8] = [
    ("no_device", NO_DEVICE),
    ("device_forbidden", DEVICE_FORBIDDEN),
    ("device_taken", DEVICE_TAKEN),
    ("line_not_silent", LINE_NOT_SILENT),
    ("not_served", BUS_NOT_SERVED),
    ("certificate_refused", BUS_CERTIFICATE_REFUSED),
    ("peer_not_believed", BUS_PEER_NOT_BELIEVED),
    ("no_serial_lines", NO_SERIAL_LINES),
];
/// Every code of a broker, with its words.
pub const BROKER_CODES: [(&str, Words); 27] = [
    ("no_subscriber", NO_SUBSCRIBER),
    ("quota", BROKER_QUOTA),
    ("login_refused", LOGIN_REFUSED),
    ("topic_forbidden", TOPIC_FORBIDDEN),
    ("taken_over", TAKEN_OVER),
    ("hung_up", HUNG_UP),
    ("no_common_version", NO_COMMON_VERSION),
    ("refused_by_broker", REFUSED_BY_BROKER),
    ("broker_unreachable", BROKER_UNREACHABLE),
    ("connection_broken", CONNECTION_BROKEN),
    ("connection_dropped", CONNECTION_DROPPED),
    ("broker_silent", BROKER_SILENT),
    ("packet_too_large", PACKET_TOO_LARGE),
    ("disconnected", DISCONNECTED),
    ("certificate_renewed", CERTIFICATE_RENEWED),
    ("brought_again", BROUGHT_AGAIN),
    ("authority_unknown", AUTHORITY_UNKNOWN),
    ("broker_expired", BROKER_EXPIRED),
    ("broker_not_yet_valid", BROKER_NOT_YET_VALID),
    ("wrong_name", WRONG_NAME),
    ("broker_certificate", BROKER_CERTIFICATE),
    ("certificate_missing", CERTIFICATE_MISSING),
    ("certificate_untrusted", CERTIFICATE_UNTRUSTED),
    ("certificate_expired", CERTIFICATE_EXPIRED),
    ("not_tls", NOT_TLS),
    ("no_common_tls", NO_COMMON_TLS),
    ("certificate_files_unfit", CERTIFICATE_FILES_UNFIT),
];
