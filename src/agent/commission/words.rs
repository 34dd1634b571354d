//! What the commissioning verbs say, Chinese and English side by side, so that neither can be forgotten.

use super::{exact::Exact, explore::What, marks::Seen, traffic::Traffic};
use crate::terms::words::{Language, Words};

/// One sentence in one of two languages; names in braces are taken from where it is written.
macro_rules! both {
    ($language:expr, $zh:literal, $en:literal) => {
        match $language {
            Language::Chinese => format!($zh),
            Language::English => format!($en),
        }
    };
}

mod line;
mod meter;

pub(super) use self::{line::*, meter::*};

/// Wherever a current transformer is suspected.
pub const NEVER_OPEN_A_CT: Words = Words {
    zh: "切勿断开电流互感器二次回路；须由授权人员在试验端子处短接。",
    en: "Never open a CT secondary; short it at the test block, authorised person only.",
};

// The configuration block.

pub(super) fn fill_in_equipment(language: Language) -> String {
    both!(language, "待填：该馈线供电的设备", "FILL IN: what this feeder supplies")
}

pub(super) fn fill_in_kind(language: Language) -> String {
    both!(language, "待填：设备种类", "FILL IN: what kind of equipment")
}

pub(super) fn fill_in_rated(language: Language) -> String {
    both!(language, "待填：设备铭牌额定功率，瓦", "FILL IN: rated power from its nameplate, in watts")
}

pub(super) fn fill_in_ct(language: Language) -> String {
    both!(
        language,
        "待填：按电流互感器铭牌；直接接入改写 rated_a = 100",
        "FILL IN from the plate of the current transformer; for a direct connection write rated_a = 100 instead"
    )
}

pub(super) fn fill_in_pt(language: Language) -> String {
    both!(language, "待填：按电压互感器铭牌", "FILL IN from the plate of the voltage transformer")
}

pub(super) fn fill_in_voltage_point(language: Language) -> String {
    both!(
        language,
        "待填：电压取自何处：bus 母线、line 断路器后、load 设备处",
        "FILL IN where the voltage is taken: bus, line (behind the breaker) or load (at the equipment)"
    )
}

pub(super) fn compare_with_plate(language: Language) -> String {
    both!(
        language,
        "读自电表；请与互感器铭牌核对，并按铭牌书写（400/5，而非 80/1）",
        "read from the meter; compare with the transformer's plate and write it as there (400/5, not 80/1)"
    )
}

pub(super) fn fill_in_nominal(language: Language) -> String {
    both!(language, "待填：额定线电压，伏", "FILL IN: nominal voltage, line to line, in volts")
}

pub(super) fn nominal_from_reading(language: Language) -> String {
    both!(language, "线电压，由读数推断；请核对", "line to line, concluded from the reading; check it")
}

pub(super) fn nominal_behind_pt(language: Language) -> String {
    both!(
        language,
        "待填：电表显示约 100 V，接在电压互感器之后；一次侧线电压，伏",
        "FILL IN: the meter shows about 100 V, so it is behind a voltage transformer; primary volts, line to line"
    )
}

pub(super) fn nominal_from_pt(language: Language) -> String {
    both!(
        language,
        "线电压，由读数与电表所记变比推断；请核对",
        "line to line, concluded from the reading and the ratio in the meter; check it"
    )
}

pub(super) fn profile_line(language: Language, score: u8, tested: &str, rivals: &str) -> String {
    if rivals.is_empty() {
        return both!(language, "符合度 {score} %；测试：{tested}", "fits {score} %; tested: {tested}");
    }
    both!(
        language,
        "符合度 {score} %；测试：{tested}；亦可能是 {rivals}：请看表上型号",
        "fits {score} %; tested: {tested}; or {rivals}: read the type on the label"
    )
}

// The scan.

pub(super) fn scan_begins(
    language: Language,
    endpoint: &str,
    first: u8,
    last: u8,
    profiles: usize,
) -> String {
    both!(
        language,
        "扫描 {endpoint}，站号 {first} 至 {last}，已知 {profiles} 种电表；只读",
        "scanning {endpoint}, ids {first} to {last}, for {profiles} known maps; reads only"
    )
}

pub(super) fn listening(language: Language, seconds: u64) -> String {
    both!(
        language,
        "先听 {seconds} 秒：若线上另有主站，我们的提问会扰乱它",
        "listening for {seconds} s first: if another master uses this line, our questions would disturb it"
    )
}

pub(super) fn foreign_traffic(language: Language, traffic: &Traffic) -> String {
    let Traffic { bytes, frames, units, dlt645_frames } = traffic;
    let units: Vec<String> = units.iter().map(ToString::to_string).collect();
    let units = units.join(", ");
    let seen = if *frames > 0 {
        both!(
            language,
            "另一主站正在使用该线路：{frames} 帧 Modbus，站号 {units}",
            "another master uses this line: {frames} Modbus frames, units {units}"
        )
    } else if *dlt645_frames > 0 {
        both!(
            language,
            "线上有 {dlt645_frames} 帧 DL/T 645：表在说另一种协议，或另有主站",
            "{dlt645_frames} DL/T 645 frames: meters here speak another protocol, and somebody reads them"
        )
    } else {
        both!(
            language,
            "收到 {bytes} 字节，却无一帧可识：波特率或校验不符，或有干扰",
            "{bytes} bytes and no frame among them: wrong baud rate or parity, or noise"
        )
    };
    let why = both!(
        language,
        "两个主站会互相毁坏对方的应答，读数会张冠李戴，因此没有提问。",
        "Two masters spoil each other's answers, and a reading may be taken for another's, so nothing was asked."
    );
    let next = both!(
        language,
        "请停下或断开另一主站（或核对 baud 与 parity），然后重新扫描。",
        "Stop or disconnect the other master (or check baud and parity), then scan again."
    );
    format!("{seen}\n{why}\n{next}")
}

/// What stands at one unit number, in one line.
pub(super) fn what(language: Language, what: &What) -> String {
    match what {
        What::Silent => both!(language, "无应答", "no answer"),
        What::NobodyBehindGateway(code) => both!(
            language,
            "网关应答异常 {code}：其后没有此站号",
            "exception {code} from the gateway: nobody behind it has this id"
        ),
        What::OnlyRefuses(code) => both!(
            language,
            "有设备，但只答异常 {code}：不是已知电表，或地址表不同",
            "something is there but answers only exception {code}: no known meter, or another map"
        ),
        What::OnlyZeros => both!(
            language,
            "所有寄存器皆为零：网关的空应答，不是电表（或无电压的表，未知地址也答零）",
            "answers zeros only: a gateway's echo, not a meter (or a meter without voltage that answers zeros everywhere)"
        ),
        What::Garbage(fault) => {
            let fault = fault.words().in_language(language);
            both!(
                language,
                "乱码：{fault}；帧格式、波特率或校验不符，或两表同号",
                "garbage: {fault}; wrong framing, baud rate or parity, or two meters of one id"
            )
        }
        What::HungUp => both!(
            language,
            "端口接受连接后立即挂断：网关只容一个客户端，或许已有主站",
            "the port accepts and hangs up: the gateway takes one client, and another master may be that one"
        ),
        What::Refused => both!(language, "无人接受连接", "nobody accepts connections"),
        What::Stranger => {
            both!(language, "有设备应答，但已知电表无一相符", "something answers, but no known meter fits")
        }
        What::Meter(candidates) => {
            let list: Vec<String> =
                candidates.iter().take(4).map(|c| format!("{} {} %", c.profile.id, c.score)).collect();
            let list = list.join(", ");
            let volts = candidates.first().and_then(|best| best.volts);
            let volts = volts.map_or_else(
                || both!(language, "无电压读数", "no voltage"),
                |seen| volts_of(language, seen, candidates.first().and_then(|best| best.system_v)),
            );
            both!(language, "电表：{volts}；候选：{list}", "meter: {volts}; candidates: {list}")
        }
    }
}

fn volts_of(language: Language, seen: Seen, system_v: Option<i64>) -> String {
    let (name, value) = (seen.quantity.word(), Exact(seen.value));
    let system = system_v.unwrap_or(0);
    match (seen.secondary, system) {
        (_, 100) => both!(
            language,
            "{name} {value} V（电压互感器二次侧）",
            "{name} {value} V (secondary side of a voltage transformer)"
        ),
        (true, _) => both!(language, "{name} {value} V（表侧）", "{name} {value} V (meter side)"),
        (false, _) => {
            both!(language, "{name} {value} V（{system} V 系统）", "{name} {value} V ({system} V system)")
        }
    }
}

pub(super) fn trying_rtu_over_tcp(language: Language) -> String {
    both!(
        language,
        "Modbus TCP 帧毫无应答；改用 rtu+tcp 帧（透明串口服务器）再试",
        "nothing answers Modbus TCP framing; trying rtu+tcp framing (a transparent serial server)"
    )
}

pub(super) fn found(language: Language, meters: usize, others: usize, asked: usize, framing: &str) -> String {
    both!(
        language,
        "找到 {meters} 块电表，另有 {others} 个未识别设备；问了 {asked} 个站号（{framing}）",
        "found {meters} meters and {others} other devices at {asked} ids ({framing})"
    )
}

/// What a scan cannot see, one sentence each.
pub(super) fn could_have_missed(
    language: Language,
    outside: &str,
    profiles: usize,
    deadline_ms: u32,
) -> Vec<String> {
    let mut missed = vec![
        both!(
            language,
            "不在这 {profiles} 种地址表内、或在其电压寄存器处不作应答的电表",
            "meters outside these {profiles} maps that answer none of their voltage registers"
        ),
        both!(
            language,
            "应答慢于 {deadline_ms} 毫秒者（--timeout 可放宽）；波特率、校验不同者；说 DL/T 645 者",
            "those that take longer than {deadline_ms} ms (--timeout), have another baud rate or parity, or speak DL/T 645"
        ),
    ];
    if !outside.is_empty() {
        missed.push(both!(language, "未问的站号：{outside}", "ids not asked: {outside}"));
    }
    missed
}

pub(super) fn not_covered(language: Language, what: &str) -> String {
    both!(language, "未覆盖：{what}", "not covered: {what}")
}

pub(super) fn cut_short(language: Language, ids: &str) -> String {
    both!(
        language,
        "站号 {ids} 对许多问题不作应答，未问完：请用 probe 并指定 --profile",
        "ids {ids} passed over many questions and were not asked all: use probe with --profile there"
    )
}

pub(super) fn paste_this(language: Language) -> String {
    both!(
        language,
        "粘贴到 agent.toml，填好每一处“待填”，再运行 coldhearth check：",
        "paste this into agent.toml, fill in what is marked, then run coldhearth check:"
    )
}

/// Nothing answered at all: what was seen, why it matters, what to do.
pub(super) fn nothing_answered(language: Language, endpoint: &str, what: &What) -> String {
    match what {
        What::Refused => both!(
            language,
            "{endpoint}：无人接受连接\n没有连接就没有读数。\n请核对地址、端口与电源；有的网关只容一个客户端，此时请先停下另一主站",
            "{endpoint}: nobody accepts connections\nWithout a connection there is no reading.\nCheck address, port and power; some gateways take one client only: then stop the other master first"
        ),
        What::HungUp => both!(
            language,
            "{endpoint}：端口接受连接后立即挂断\n网关多半只容一个客户端，已被另一主站占用。\n请停下另一主站（包括本机的 coldhearth run）后重试",
            "{endpoint}: the port accepts and hangs up\nThe gateway probably takes one client, and another master is that one.\nStop the other master (a running `coldhearth run` is one too) and try again"
        ),
        What::Garbage(_) => both!(
            language,
            "{endpoint}：只收到乱码\n应答无法归属，因此没有读数。\n请核对帧格式（tcp:// 或 rtu+tcp://）、波特率与校验",
            "{endpoint}: only garbage came\nWhat cannot be attributed is no reading.\nCheck framing (tcp:// or rtu+tcp://), baud rate and parity"
        ),
        What::NobodyBehindGateway(code) => both!(
            language,
            "{endpoint}：网关应答异常 {code}，所问站号其后皆无设备应答\n网关活着，电表没有应答；没有应答不等于没有电。\n请核对站号、A/B 接线、网关串口的波特率与校验",
            "{endpoint}: the gateway answers exception {code}: no unit behind it answers at these ids\nThe gateway lives and the meters do not answer; no answer does not mean no power.\nCheck ids, the A/B wires, baud rate and parity of the gateway's serial port"
        ),
        What::Silent | What::OnlyRefuses(_) | What::OnlyZeros | What::Stranger | What::Meter(_) => both!(
            language,
            "{endpoint}：端口开着，却无应答：另有主站？站号不对？\n没有应答不等于没有电。\n请核对站号、A/B 接线、波特率与校验；停下另一主站；用 --timeout 2s 再试",
            "{endpoint}: port open, no answer: another master? another id?\nNo answer does not mean no power.\nCheck ids, the A/B wires, baud rate and parity; stop another master; try --timeout 2s"
        ),
    }
}
