"""The words the guard looks for: festivals and what belongs to them, worn phrases, unlucky words, near-synonyms.

The lists follow ``training/corpus/GUIDE.md``; every one was run over the whole corpus, which must pass it.
"""

# What names a festival, by occasion id. 饺子 or 红包 belong to several and are not listed.
FESTIVAL_WORDS = {
    "new_years_eve": ("除夕", "守岁", "年夜饭", "年三十", "大年三十"),
    "lantern_festival": ("元宵", "汤圆", "灯谜", "花灯", "上元"),
    "little_new_year": ("小年好", "小年夜", "小年安", "过小年", "小年快乐", "祭灶", "糖瓜", "扫尘"),
    "back_to_work": ("开工大吉", "开工啦", "开工第一", "开工了", "开工顺利", "开工好"),
    "new_year": ("元旦", "跨年"),
    "spring_festival": ("春节", "拜年", "大年初一"),
}

# Festivals whose words may be named on another day: one may look forward on 小年, and back on the first day at work.
MAY_ALSO_NAME = {
    "spring_festival": ("new_years_eve",),
    "new_years_eve": ("spring_festival",),
    "little_new_year": ("spring_festival", "new_years_eve"),
    "back_to_work": ("spring_festival", "new_years_eve"),
    "lantern_festival": ("spring_festival",),
    "new_year": (),
}

# On 元旦 the lunar year has not turned yet.
NOT_ON_NEW_YEARS_DAY = ("大年", "正月", "新春", "春联")

# What shows that a text is about its festival at all, as one regular expression by occasion id.
BELONGS_TO_FESTIVAL = {
    "lantern_festival": "元宵|汤圆|灯|月|上元|元夜|圆子",
}

CLICHES = (
    "辞旧迎新的日子", "佳节来临之际", "新春佳节来临", "值此新春", "值此佳节", "岁月不居", "时节如流", "让我们",
    "不仅", "岁月静好",
)  # fmt: skip

# One of these can be said in one's own way; two in one text are a string of them.
IDIOMS = (
    "万事如意", "身体健康", "阖家幸福", "阖家欢乐", "心想事成", "笑口常开", "财源广进", "财源滚滚", "恭喜发财",
    "幸福安康", "前程似锦", "事业有成", "步步高升", "红红火火", "蒸蒸日上", "大展宏图", "吉祥如意", "平安喜乐",
    "平安健康", "阖家安康", "五福临门", "福星高照", "事业顺利", "家庭幸福", "学业有成", "工作顺利", "新春快乐",
    "好运连连", "福气满满", "幸福美满", "生意兴隆", "大吉大利", "幸福快乐",
)  # fmt: skip

TABOO = ("死", "丧", "散场", "绝症", "离世", "病危", "去世", "遗体", "葬", "坟")

# Labels of the prompt, whose first line is PROMPT_OPENING; in a greeting they are an echo of it.
PROMPT_LABELS = ("关系：", "语气：", "场合：", "篇幅：", "称呼：", "生肖：", "细节：", "落款：", "<|", "|>")
PROMPT_OPENING = "写祝福"

# Characters that say nothing about which fact is meant.
EMPTY_CHARACTERS = frozenset(
    "的了我他她它你您是在也就都还又和跟把被给让着过得地吧呢吗啊一个上下年去今这那有没不人来到说要会能们很最好多大小老刚才里"
)

# A fact told in other words still counts, at half weight: any character of a group stands for any other.
PARAPHRASES = (
    "搬迁居屋宅乔", "爸父爹", "妈母娘", "娃孩儿子女闺宝", "爷奶外公婆祖", "吃饭菜", "病养好康复", "买置",
    "钱款账", "还奉清", "考试榜", "婚嫁娶", "生添诞", "开张启", "帮扶照顾", "班返程岗工", "学读书校", "房屋楼",
    "猫狗爪", "教师傅徒", "走离别", "升职任",
)  # fmt: skip
