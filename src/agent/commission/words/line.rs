//! What `tune` and `tap` say.

use crate::{agent::commission::tune::tuner::Proposal, terms::words::Language};

// Tuning.

pub(in crate::agent::commission) fn tune_begins(language: Language, seconds: u64) -> String {
    both!(
        language,
        "测量应答时间、所需间隔与每次可读的寄存器数，至多 {seconds} 秒；只读",
        "measuring answer times, the pause it needs and registers per read; at most {seconds} s; reads only"
    )
}

pub(in crate::agent::commission) fn tune_out_of_time(language: Language) -> String {
    both!(language, "时间已到，按已测结果给出建议", "time is up: proposing from what was measured so far")
}

pub(in crate::agent::commission) fn tune_too_little(language: Language) -> String {
    both!(
        language,
        "应答太少，无从建议\n间隔与时限定得不当会使读数变成“未知”。\n请核对接线与干扰，或用 --timeout 5s 再试",
        "too few answers to propose anything\nA wrong pause or timeout turns readings into unknown.\nCheck wires and noise, or try again with --timeout 5s"
    )
}

pub(in crate::agent::commission) fn tune_measured(
    language: Language,
    measured: &Proposal,
    requests: usize,
) -> String {
    let Proposal { answers, failed, quickest_ms, median_ms, slowest_ms, .. } = measured;
    both!(
        language,
        "{requests} 次读取；{answers} 次计时：最快 {quickest_ms}，中位 {median_ms}，最慢 {slowest_ms} 毫秒；失败 {failed}",
        "{requests} reads; {answers} timed: quickest {quickest_ms}, median {median_ms}, slowest {slowest_ms} ms; {failed} failed"
    )
}

pub(in crate::agent::commission) fn tune_lines(
    language: Language,
    measured: &Proposal,
    enough: bool,
) -> String {
    let Proposal { timeout_ms, gap_ms, max_regs, .. } = measured;
    let times = both!(
        language,
        "# 写入 agent.toml 中该电表的 [[meter]]：\ntimeout_ms = {timeout_ms}\ngap_ms = {gap_ms}",
        "# into this meter's [[meter]] of agent.toml:\ntimeout_ms = {timeout_ms}\ngap_ms = {gap_ms}"
    );
    let size = if enough {
        both!(
            language,
            "max_regs = {max_regs}   # 至少可一次读这么多",
            "max_regs = {max_regs}   # so many at least are read at once"
        )
    } else {
        both!(
            language,
            "# max_regs = {max_regs}   # 只测到这么多：其旁的寄存器被拒，未必是上限",
            "# max_regs = {max_regs}   # no more could be measured: what lies beside is refused, which need not be a limit"
        )
    };
    format!("{times}\n{size}")
}

// The tap.

pub(in crate::agent::commission) fn tap_begins(
    language: Language,
    meter: &str,
    endpoint: &str,
    unit: u8,
) -> String {
    both!(
        language,
        "{meter}：{endpoint} 站号 {unit}；自开一条连接。若网关只容一个客户端，它与 coldhearth run 之一会被拒绝：请先停下后者。",
        "{meter}: {endpoint} unit {unit}, over a connection of its own. Where a gateway takes one client, this or a running `coldhearth run` is refused: stop that first."
    )
}

pub(in crate::agent::commission) fn tap_counts(language: Language, counts: &str) -> String {
    both!(language, "计数：{counts}", "counted: {counts}")
}

pub(in crate::agent::commission) fn tap_nothing(language: Language, meter: &str, endpoint: &str) -> String {
    both!(
        language,
        "{meter}（{endpoint}）：始终无应答\n没有应答不等于没有电。\n请停下占用网关的另一主站，或用 scan 核对站号",
        "{meter} ({endpoint}): nothing answered all the time\nNo answer does not mean no power.\nStop another master that holds the gateway, or check the id with scan"
    )
}
