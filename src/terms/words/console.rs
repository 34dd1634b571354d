//! What stands on the pages of the console. A word that is missing in either language fails the build.

use super::Words;

macro_rules! console_words {
    ($($name:ident $zh:literal $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: Words = Words { zh: $zh, en: $en };
            const _: () = assert!(!$zh.is_empty() && !$en.is_empty());
        )*

        /// Every one of them.
        pub const CONSOLE: &[Words] = &[$($name,)*];
    };
}

console_words! {
    // Screens and what is around them.
    K_TODAY "今日" "Today";
    K_FLEET "设备清单" "Fleet";
    K_ALARMS "告警" "Alarms";
    K_AUDIT "审计与规则" "Audit and rules";
    K_SCREENS "页面导航" "Screens";
    K_SKIP "跳到正文" "Skip to the content";
    K_LOGIN "登录" "Log in";
    K_NAME "用户名" "Name";
    K_PASSWORD "密码" "Password";
    K_ENTER "进入" "Enter";
    K_LEAVE "退出" "Log out";
    K_LOGIN_REFUSED "用户名或密码不正确，或尝试过于频繁：请一分钟后再试" "Name or password is wrong, or there were too many tries: wait a minute";
    K_SESSION_OVER "会话已结束：30 分钟未使用、登录满 12 小时、权限或密码已变更，或采集程序已重新启动或重载配置。请重新登录。" "Your session has ended: 30 minutes unused, 12 hours in all, a change of what you may see, or a collector that was started or configured anew. Log in again.";
    K_DOOR_CROWDED "登录请求过多，请稍后再试" "Too many people are logging in at this moment: try again in a little while";
    K_READER "查看" "reader";
    K_OFFICER "处置" "officer";
    K_OVERSEER "监督" "overseer";
    K_NATION "全国" "the nation";
    K_ASKED_AT "查询时间" "Asked at";
    K_EVIDENCE_FIRST "以签名记录为准，本页仅为其索引。" "The signed records decide; this page is an index to them.";
    K_PRINT "打印" "Print";
    K_CSV "下载本页 CSV" "This page as CSV";
    K_CSV_WHOLE "下载全部筛选结果 CSV" "Everything that the filter finds as CSV";
    K_AGAIN "重新载入" "Load it again";
    K_FRESH "情况已变化，本页为打开时的内容。" "Something has changed since this page was made.";
    K_SORRY "无法显示" "This cannot be shown";
    K_AWAY "数据库暂不应答：采集不受影响，请稍后再试。" "The database does not answer now. Nothing that was receipted is lost; try again in a while.";
    K_NOT_HERE "您的辖区内没有此项" "There is nothing of that name in your division";
    K_ROLE_TOO_LOW "您的角色不允许此操作" "Your role does not allow that";
    K_FORM_FOREIGN "此表单不是从本次登录的页面发出：请重新载入页面后再试" "That form was not sent from a page of this session: load the page again";
    K_FILTER_WRONG "筛选条件无法理解：请检查行政区划代码、信用代码和日期（YYYY-MM-DD）" "That filter cannot be understood: check division code, credit code and day (YYYY-MM-DD)";
    K_READING "记录仍在读取：页面所列尚不完整，未列出不等于没有。已读取的日志：" "Records are still being read: what is listed here is not whole, and what is missing is not nought. Logs that have been read:";
    K_NOT_WHOLE "记录仍在读取，尚不能答复" "Records are still being read: this cannot be told yet";
    K_YES "是" "yes";
    K_NO "否" "no";
    K_ALL "全部" "all";
    K_FROM "自" "From";
    K_TO_INCLUDED "至（含当日）" "To (that day included)";
    K_DAYS_TURNED "起始日期晚于截止日期" "The first day is later than the last";
    K_AS_OF "截至" "as of";

    // States, in one word each.
    K_LATCHED "违规已锁存" "violation latched";
    K_DRAWING "用电" "drawing";
    K_EXPORTING "反送电" "feeding back";
    K_MASKED "计量受遮蔽" "masked";
    K_UNKNOWN "未知" "unknown";
    K_SILENT "网关无消息" "silent";
    K_UNATTESTED "没有新近证据" "no recent evidence";
    K_UNTOLD "尚无判定" "nothing told yet";
    K_AUXILIARY "仅辅助用电" "auxiliary only";
    K_ENERGISED "带电未用电" "live, not drawing";
    K_DEAD "未观测到电压" "no voltage observed";
    K_LEGEND "图例" "What the signs mean";
    K_UNATTESTED_MEANS "网关仍有消息，但该设备最新的证据已逾一小时：设备可能已从配置中删除或改名，记录可能延迟送达，或网关时钟落后；没有证据，不等于停用" "The gateway speaks, and its newest evidence of this equipment is more than an hour old, as if the equipment were taken out of its configuration or renamed, the line were slow, or its clock behind: no evidence, which is not the same as off";
    K_SILENT_MEANS "网关已逾 15 分钟无消息：没有证据，不等于停用" "The gateway has said nothing for more than 15 minutes: no evidence, which is not the same as off";

    // Numbers of the day.
    K_DUE "已逾最后合法运行日" "Past the last lawful day";
    K_VERIFIED "断电已核实" "Cut verified";
    K_DRAWING_NOW "正在用电" "Drawing now";
    K_UNPROVEN "无证据" "No evidence";
    K_LATCHED_NOW "违规锁存中" "Violations latched";
    K_OF_ALL "辖区内设备总数：" "Pieces of equipment in your division:";
    K_AGE "数据时效" "How old this is";
    K_NEWEST_WORD "最新记录到达：" "the newest record came";
    K_SILENT_OF "逾 15 分钟无消息的网关：" "gateways silent for more than 15 minutes:";
    K_OF "/ 共" "of";
    K_LONGEST_SILENT "其中最久者最后消息：" "the longest of them was heard last";
    K_NOBODY_HEARD "尚未收到任何网关的记录。" "No gateway has been heard yet.";
    K_NO_TREND "一周前无数字可比" "no figure of a week ago to compare with";
    K_IN_A_WEEK "较一周前" "against a week ago";
    K_LATCHED_LIST "锁存的违规，最早者在前" "Latched violations, the oldest first";
    K_NONE_LATCHED "没有锁存的违规。" "No violation is latched.";
    K_CALENDAR "期限日历" "Deadlines to come";
    K_NO_DEADLINE "此后没有到期的设备。" "No equipment has a deadline to come.";
    K_MONTH "月份" "Month";
    K_DESK "值班负荷" "At the desk";
    K_OPEN_ALARMS "未确认的告警" "Alarms that nobody has acknowledged";
    K_SHELVED "已搁置" "Put aside";
    K_OUT_OF_SERVICE "已停用" "Out of service";
    K_RAISED_DAY "近 24 小时新增" "Raised within a day";
    K_MOST_IN_TEN "其中十分钟内最多" "The most of them within ten minutes";
    K_DAY_BOUNDED "（仅统计最近 20,000 步，实际可能更多）" "(of the newest 20,000 steps alone: there may be more)";
    K_TODAY_ALL "告警按行政区划统计，不分行业。" "Alarms are counted by division, for all industries.";
    K_FLOOD "告警泛滥" "a flood";

    // The fleet.
    K_FLEET_CAPTION "按行政区划、网关、设备排列；时间均为北京时间" "By division, gateway and equipment; times are lawful Chinese time";
    K_GATEWAY "网关" "Gateway";
    K_GATEWAYS "个网关" "gateways";
    K_EQUIPMENT "设备" "Equipment";
    K_DIVISION "行政区划" "Division";
    K_ENTERPRISE "企业信用代码" "Enterprise's credit code";
    K_STATE "状态" "State";
    K_SINCE "自" "Since";
    K_CLASS "认定" "Class";
    K_ENTRY "目录条目" "Entry";
    K_ENTRY_CODE "条目代码" "Entry's code";
    K_MACHINE "设备名称" "Machine";
    K_CAPACITY "铭牌能力" "Capacity by its plate";
    K_BOUND "条文界限" "Bound of the clause";
    K_INDUSTRY "行业" "Industry";
    K_LAST_DAY "最后合法运行日" "Last lawful day";
    K_ORDER "断电令" "Cut-off order";
    K_COVERAGE "证据覆盖率" "Evidence coverage";
    K_HEARD "最近消息" "Last heard";
    K_ATTESTED "最近一次该设备的证据" "Last evidence of it";
    K_NEVER "从未" "never";
    K_NEVER_HEARD "已准入、尚未收到任何记录的网关" "Gateways that were admitted and not heard yet";
    K_THIRTY_DAYS "近 30 日用电" "Power of thirty days";
    K_SHOW "显示" "Show";
    K_SHOW_IT "筛选" "Show";
    K_DUE_BY "期限不晚于" "Due by (YYYY-MM-DD)";
    K_NOTHING_FOUND "没有符合条件的项目。" "Nothing like that is here.";
    K_FIRST_PAGE "首页" "First page";
    K_NEXT_PAGE "下一页" "Next page";
    K_OLDER "更早" "Older";
    K_SAVED "已保存的筛选" "Saved filters";
    K_SAVE_AS "将当前筛选保存为" "Save this filter as";
    K_SAVE "保存" "Save";
    K_FORGET "删除" "Forget";
    K_NO_NAME "请填写名称（最多 60 字）" "Give it a name of at most 60 characters";
    K_TOO_MANY_SAVED "已保存 50 个筛选：请先删除一个" "Fifty filters are saved: forget one first";

    // One piece of equipment.
    K_VERDICT "判定" "Verdict";
    K_DRAWN_OVERDUE "逾期后用电" "Drawn while overdue";
    K_RESET_BY_ACT "违规锁存只能由主管机关签署复位文书解除（coldhearth-regulator act sign），本页面不能解除。" "A latch is opened by a signed act of the authority alone (coldhearth-regulator act sign), and not from here.";
    K_POWER "功率" "Power";
    K_ENERGY "电量" "Energy";
    K_AT_LEAST "至少" "at least";
    K_STEPS_UNTOLD "没有电量记录的时段" "steps of which nothing is told";
    K_LATCHED_SINCE "违规锁存始于" "Violation latched since";
    K_GONE_LIST "曾属本辖区、违规仍锁存，网关现自他处上报" "Equipment that was here, is latched, and whose gateway speaks from elsewhere now";
    K_GONE_ELSEWHERE "网关现自他处上报；此处只列本辖区的日志" "its gateway speaks from elsewhere now; told here is what its log of here says";
    K_GAPS "缺口" "Gaps";
    K_NOT_TOLD "未知" "not told";
    K_HATCHED "斜线为未见证的时段：不作插补，也不等于零。阴影为 22:00–06:00。" "What is hatched was not seen: it is not filled in, and it is not zero. Shaded: 22:00 to 06:00.";
    K_LAWFUL_TIME "北京时间" "lawful Chinese time, +08:00";
    K_DAY_LONG "日" "day";
    K_DAYS_LONG "日" "days";
    K_MEAN_POWER "平均功率（W）" "Mean power (W)";
    K_SEEN_WHOLE "全程见证" "Seen throughout";
    K_PLATE_AND_LAW "铭牌与条文" "Nameplate and law";
    K_NO_PLATE "没有铭牌记录。" "No nameplate is on record.";
    K_NO_ENTRY "判定未引用本程序所附目录的条目。" "The verdict cites no entry of the catalogue that is shipped here.";
    K_ENTRY_NOT_TOLD "类别尚不能认定：不称其属于任何条目；缺少什么，见上述判定。" "Its class cannot be told: no clause is said to name it. What is lacking, the verdict above tells.";
    K_ATTRIBUTE "项目" "Line";
    K_VALUE "内容" "Value";
    K_DECLARED "申报" "declared";
    K_READ "读取" "read";
    K_CHINESE_DECIDES "以中文条文为准。" "The Chinese text decides.";
    K_RULE_ASKS "条文要求" "What the rule asks";
    K_NOT_ON_PLATE "铭牌未载" "not on the plate";
    K_OTHER_LINE "铭牌其他项目" "Another line of the plate";
    K_RULED_BY_AUTHORITY "须由主管部门认定" "ruled by an authority";
    K_YEARS_IN_SERVICE "使用年限（年）超过" "years in service, more than";
    K_EXEMPT_IF "豁免条件：" "exempt if:";
    K_IS_MET "符合" "met";
    K_IS_NOT_MET "不符合" "not met";
    K_STORY "经过" "What happened";
    K_ORDER_WAY "断电令进程" "Way of the cut-off order";
    K_NO_ORDER "没有断电令。" "There is no cut-off order.";
    K_ACTOR "执行者" "By whom";
    K_BY_GATEWAY "网关" "the gateway";
    K_TWO_SOURCES "两方计量对照（近 31 日）" "Two sources compared (31 days)";
    K_ONE_SOURCE "供电企业未提供计量：仅有网关一方的数据。" "No supplier has told what it counted: there is one source.";
    K_DAY_OF "日期" "Day";
    K_METER "计量点" "Meter";
    K_OURS "网关计量" "Counted by the gateway";
    K_THEIRS "供电企业计量" "Counted by the supplier";
    K_MAY_DIFFER "允许偏差" "May differ by";
    K_OUTCOME "结果" "Outcome";
    K_WHEN "时间" "When";
    K_WHAT "事项" "What";
    K_PLACE "日志位置与哈希" "Place and hash";
    K_SIGNATURE "签名" "Signature";
    K_CERTIFICATE "签发断电证明（打印）" "Certificate of the cut, to be printed";
    K_NOT_CERTIFIED "日志尚不足以签发断电证明" "The log does not bear out a certificate of the cut";
    K_PLATE_DECLARED "已申报铭牌" "nameplate declared";
    K_PLATE_DECLARED_ANEW "铭牌另行申报" "another nameplate declared";
    K_PLATE_READ "已读取铭牌" "nameplate read";
    K_PLATE_CHANGED "铭牌已变" "the nameplate changed";
    K_PLATE_UNREADABLE "铭牌无法读取" "the nameplate cannot be read";
    K_SIGN_OVER "迹象已消失或已说明" "sign over, or explained";
    K_UNDER_PERMIT "依许可用电" "drawn under permit";
    K_DAYS_LEFT "剩余天数" "days left:";
    K_SECONDS "秒前" "seconds ago";
    K_MINUTES "分钟前" "minutes ago";
    K_HOURS "小时前" "hours ago";
    K_DAYS "天前" "days ago";
    K_SECOND "秒前" "second ago";
    K_ACT_TAKEN "网关已收下，版本" "taken by the gateway, version";
    K_ACT_ORDER "断电令文书" "act of a cut-off order";
    K_ACT_PLAN "断电日期" "day of the cut";
    K_ACT_CLAIM "断电声明" "claim of the cut";
    K_ACT_SUSPEND "中止执行文书" "suspension";
    K_ACT_RESUME "恢复执行文书" "resumption";
    K_ACT_SEAL "封存文书" "sealing";
    K_ACT_CLOSE "结案文书" "closure";
    K_ACT_REVOKE "撤销文书" "withdrawal";
    K_ACT_RESTORE "恢复供电文书" "reconnection";
    K_ACT_RESET "违规复位文书" "reset of a violation";
    K_ACT_ROSTER "名单" "roster";
    K_ACT_PERMIT "许可" "permit";
    K_ACT_READING "供电企业读数" "supplier's reading";
    K_ACT_REVOKE_KEY "撤销密钥" "revocation of a key";
    K_ACT_ASK "查询判定" "question for the verdict";
    K_ACT_ACKNOWLEDGE "供电企业确认" "supplier's confirmation";

    // Alarms.
    K_NO_ALARM "没有告警。" "There is no alarm.";
    K_NO_ALARMS_KEPT "本采集程序未启用告警。" "This collector keeps no alarms.";
    K_NO_OTHER_ALARM "除此之外没有告警。" "There is no other alarm.";
    K_ASIDE "已搁置、停用或由上级告警涵盖，未列于此的告警：" "Alarms that are not listed here, because they are put aside, out of service, or told of by a wider one:";
    K_KIND "类别" "Kind";
    K_ABOUT "对象" "About";
    K_PRIORITY "优先级" "Priority";
    K_LEVEL "责任层级" "Who must act";
    K_HAND "处置人与理由" "Who touched it, and why";
    K_DO "处置" "Act";
    K_ACKNOWLEDGE "确认" "Acknowledge";
    K_SHELVE "搁置" "Put aside";
    K_UNSHELVE "取消搁置" "Take up again";
    K_WHY "理由" "Why";
    K_FOR_HOURS "搁置小时数" "For how many hours";
    K_UNTIL "至" "until";
    K_ALARM_UNFIT "此告警现在的状态不允许该操作，或该操作不会改变任何事" "That cannot be done to an alarm in its state, or would change nothing";
    K_COUNTY "县级" "county";
    K_CITY "市级" "prefecture";
    K_PROVINCE "省级" "province";
    K_WHY_MISSING "请填写理由（最多 200 字）；搁置须选择时长" "Say why, in at most 200 characters; what is put aside needs a time";
    K_ALARM "告警" "Alarm";
    K_ALARM_ID "告警编号" "Alarm number";
    K_ALARMS_FOUND "符合条件的告警：" "Alarms that the filter finds:";
    K_PART_LISTED "现存告警" "those that stand and are told";
    K_PART_OPEN "未确认" "not acknowledged";
    K_PART_ACKNOWLEDGED "已确认" "acknowledged";
    K_PART_LATCHED "违规锁存，现未见用电" "latched, not seen to draw now";
    K_PART_SUPPRESSED "由上级告警涵盖" "told of by a wider alarm";
    K_PART_ALL "全部" "all";
    K_IN_DIVISION "辖区内未确认 / 全部：" "Not acknowledged, of all in your division:";
    K_STEPS "经过（主管机关签名日志）" "Its steps, by the desk's signed log";
    K_STEP "步骤" "Step";
    K_STEP_NUMBER "序号" "Number";
    K_ALARM_OVER "此告警已结束。" "This alarm is over.";
    K_RAISED_BY "触发记录" "Record that raised it";
    K_FINDING "两份记录不相符" "Two records that do not go together";
    K_RECORD "记录" "Record";
    K_RECORD_ELSEWHERE "另一份记录在您的辖区之外" "The other record lies outside your division";

    // Looks on site.
    K_INSPECTIONS "现场复查" "Looks on site";
    K_INSPECTIONS_OPEN "待办复查" "Those that nobody has reported on";
    K_INSPECTIONS_ALL "全部复查，含已办结" "All of them, reported or not";
    K_NO_INSPECTION "没有复查请求。" "No look on site has been asked for.";
    K_INSPECTION_ASK "请求现场复查" "Ask for a look on site";
    K_INSPECTION_ASKED "请求人与理由" "Who asked, and why";
    K_INSPECTION_FOUND "复查结果" "What was found";
    K_INSPECTION_REPORT "填报结果" "Report what was found";
    K_INSPECTIONS_MANY "此设备已有 5 项待办复查" "Five looks at this equipment await their report";
    K_PHOTOS "照片（最多 4 张、共 8 MiB；只留存文件名与 SHA-256，照片请自行保管）" "Photographs, 4 and 8 MiB at most: their names and SHA-256 are kept here, and they themselves by you";
    K_SAY_IT "请填写内容（最多 200 字）" "Say it in at most 200 characters";

    // Audit and rules.
    K_WHO_SAW "谁看了什么" "Who saw what";
    K_ANSWERED "应答" "Answered";
    K_VERIFY "验证记录" "Verify records";
    K_VERIFY_HOW "上传记录文件（每行一条，最大 8 MiB）。结果与离线命令 coldhearth verify 相同；上传内容不予保存。" "Bring a file of records, one a line, 8 MiB at most. The answer is that of the command coldhearth verify, which needs no network; nothing you bring is kept.";
    K_RECORDS_FILE "记录文件（records.jsonl）" "Records (records.jsonl)";
    K_RECEIPTS_FILE "回执文件（receipts.jsonl，可选）" "Receipts (receipts.jsonl), if there are any";
    K_NO_FILE "没有选择文件" "No file was given";
    K_UPLOAD_BROKEN "上传不完整，或超过 8 MiB" "The upload was cut short, or is larger than 8 MiB";
    K_UPLOADS_BUSY "您的另一份上传仍在接收，或同时接收的上传过多，请稍后再试" "Another upload of yours is still coming in, or too many are at once: try again in a little while";
    K_NO_EVIDENCE_IN_IT "文件中没有 coldhearth/1 记录" "There is no coldhearth/1 record in it";
    K_AUTHENTIC "真实" "Authentic";
    K_CANNOT_TELL "无法在此判断：签名密钥不属于您辖区内的任何网关。请向主管该网关的机关查询，或使用 coldhearth verify --authority" "It cannot be told here: no gateway in your division has this key. Ask the authority of that gateway, or use coldhearth verify --authority";
    K_ANCHOR_STRANGE "此处无人登记此密钥" "nobody whose key is known here";
    K_COMPLETE "完整" "Complete";
    K_CONDITION "所述状况" "What it says";
    K_RECORDS "记录" "Records";
    K_KEYS "密钥登记" "Keys";
    K_KEYS_ALL "全部已登记的密钥" "All keys that were ever admitted";
    K_KEYS_REVOKED "已撤销的密钥" "Keys that were revoked";
    K_SAID_TO_STAND "登记时所述行政区划" "Said to stand in";
    K_ANCHOR_TRUSTED "由主管机关登记的密钥证实" "by keys that the authority knows";
    K_ANCHOR_NONE "没有可用的密钥" "there is no key at all";
    K_FIRST_BAD "首个不可信的行" "First line that is not believed";
    K_FORKS "分叉" "Forks";
    K_BAD_TOO_LONG "超过记录的最大长度" "longer than a record may be";
    K_BAD_NOT_JSON "不是 JSON 对象" "no JSON object";
    K_BAD_ALTERED "不是规范格式：已被改动" "not the canonical form: it was altered";
    K_BAD_MEMBER "缺少字段，或其内容无法理解：" "a member is missing or not understood:";
    K_BAD_NOBODY "没有任何一方证实此密钥：" "nobody vouches for the key";
    K_BAD_SUITE "本程序不识别此签名算法：" "this build does not know the suite";
    K_BAD_WRONG_SUITE "所称签名算法与其密钥不符" "it names another suite than its key's";
    K_BAD_SIGNATURE "签名与密钥不符：已被改动或伪造" "the signature is not that key's: it was altered or forged";
    K_BAD_NOT_OURS "不是 coldhearth/1 记录" "no record of coldhearth/1";
    K_BAD_STRANGE_KEY "此密钥不能为此日志作证：" "a key that does not answer for this log:";
    K_BAD_EPOCH "此密钥在该位置无效：已被替换或尚未启用，周期" "the key had no right to this place, as it was replaced before or came later: epoch";
    K_FLAWS "以下为命令行程序给出的英文说明：" "As the command line tells it:";
    K_GAP_DECLARED "网关已声明" "declared by the gateway";
    K_REPORTS "报告" "Reports";
    K_REPORTS_BY_FILES "所附文件只用于本次报告，不予保存；报告只含您辖区内的内容。" "Files are read for this one report and not kept; a report is of your division alone.";
    K_NAMES_FILE "企业名称表（TOML，可不附）" "Names of enterprises (TOML), if there are any";
    K_BEFORE_FILE "上次名单（JSON，可不附）" "The list before (JSON), if there was one";
    K_PAGES_FILE "各级上报的目标分解文件（TOML 或 JSON）" "What divisions handed in: targets and equipment (TOML or JSON)";
    K_SCHEDULE_FILE "应报清单（TOML）" "Who owes which report (TOML)";
    K_SIGNATURES_FILE "已收到报告的签名" "Signatures of the reports that were handed in";
    K_KEYS_FILE "其他主管机关的公钥（可不附）" "Further authorities' public keys, if any";
    K_PRICES_FILE "电价文件（TOML）" "Price documents (TOML)";
    K_TOO_MANY_FILES "一次所附文件过多。" "Too many files at once.";
    K_FILES_UNREAD "所附文件有误，未出具报告：" "No report was made, for the files cannot be read:";
    K_NO_REPORTS "本采集程序未启用报告。" "This collector makes no reports.";
    K_RULES "规则版本与法律依据" "Rules and their legal basis";
    K_INSTRUMENT "文件" "Instrument";
    K_ISSUED "发布日期" "Issued";
    K_ENTRIES "条目数" "Entries";
    K_HASH "SHA-256" "SHA-256";
    K_LOOSENED "地方文件放宽之处（不予适用）" "What regional instruments would loosen, and does not count";
    K_RULES_FILE "另一版本的目录文件（TOML）：与现行版本逐条对照" "Another version of the catalogue (TOML), to be held against the one in force, clause by clause";
    K_COMPARE "对照" "Compare";
    K_RULES_COMPARED "规则版本对照" "Versions of the rules compared";
    K_CHANGES "差异数" "Differences";
    K_PART "部分" "Part";
    K_CLAUSE "条文" "Clause";
    K_CRITERIA "判定条件" "Criteria";
    K_EXEMPTIONS "豁免" "Exemptions";
    K_DETERMINATION "主管部门认定" "Without a ruling";
    K_IN_FORCE "现行版本" "In force";
    K_BROUGHT "所上传版本" "In the file";
    K_NO_CATALOGUE "此文件不能作为目录读取：" "This file cannot be read as a catalogue:";
    K_AUTHORITY_KEYS "主管机关的密钥：" "The authority's keys:";
    K_KEY "密钥" "Key";
    K_FINGERPRINT "指纹" "Fingerprint";
    K_ADMITTED "登记" "Admitted";
    K_REVOKED "撤销" "Revoked";
    K_LOG "日志" "Log";
    K_HEAD "已知末位" "Known up to";
    K_TAKE_ALONG "导出记录（可离线验证）" "Take the records along, to be verified anywhere";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_itself() {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for words in CONSOLE.iter().filter(|words| words.zh != words.en) {
            assert!(words.zh.chars().any(is_chinese), "{}", words.zh);
            assert!(!words.en.chars().any(is_chinese), "{}", words.en);
        }
        let same: Vec<&str> =
            CONSOLE.iter().filter(|words| words.zh == words.en).map(|words| words.en).collect();
        assert_eq!(same, ["SHA-256"], "the name of a hash is no word of either language");
    }

    #[test]
    fn no_badge_of_silence_is_worded_as_rest() {
        for words in [K_SILENT, K_UNATTESTED, K_UNKNOWN, K_UNTOLD, K_UNPROVEN] {
            for rest in ["off", "cold", "idle", "zero"] {
                assert!(!words.en.contains(rest), "{}", words.en);
            }
            assert!(!words.zh.contains('停'), "{}", words.zh);
        }
        assert!(K_SILENT_MEANS.zh.contains("不等于停用") && K_UNATTESTED_MEANS.zh.contains("不等于停用"));
    }
}
