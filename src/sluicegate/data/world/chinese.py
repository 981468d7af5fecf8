"""The three Chinese lexicons. They share the answer sentence, function words and nothing else."""

# A line of words is easier to read and to edit than a list of quoted ones.
# ruff: noqa: SIM905

from __future__ import annotations

from sluicegate.data.world.lexicon import Lexicon, Style

ONE = Lexicon(
    lang="zh",
    space="",
    comma="、",
    stop="。",
    names=(
        "小明 小红 小刚 小丽 小华 小军 小芳 小强 小燕 小东 小梅 小龙 小雪 小兵 小玲 "
        "李雷 韩梅 王芳 张伟 刘洋 陈静 杨帆 赵敏 周杰 吴磊 孙莉 马超 朱琳 胡斌 郭涛"
    ).split(),
    things=(
        "个苹果 个梨 本书 支铅笔 枚硬币 张邮票 颗玻璃球 个贝壳 张卡片 个鸡蛋 块饼干 "
        "朵玫瑰 个皮球 个玩具 块石头 把钥匙 个杯子 顶帽子 根蜡烛 条丝带 颗纽扣 张车票"
    ).split(),
    places="花园 阁楼 公园 厨房 学校 市场 森林 商店 车库 地窖".split(),
    starts=(
        "{name}有{count}{thing}。",
        "{name}一开始有{count}{thing}。",
        "{name}在{place}里数出了{count}{thing}。",
    ),
    gains=(
        "{name}又买了{count}{thing}。",
        "{friend}送给{name}{count}{thing}。",
        "{name}在{place}里找到{count}{thing}。",
        "然后{name}又得到{count}{thing}。",
    ),
    losses=(
        "{name}给了{friend}{count}{thing}。",
        "{name}丢了{count}{thing}。",
        "{friend}拿走了{count}{thing}。",
        "{name}在{place}卖掉{count}{thing}。",
    ),
    totals=("{name}现在有多少{thing}？", "最后一共有多少{thing}？", "请算出还剩多少{thing}。"),
    endings=("现在{name}有{count}{thing}。", "最后有{count}{thing}。"),
    styles=(
        Style(),
        Style("我们一步一步来算。", "第{i}步：", "第{i}步："),
        Style("", "首先，", "然后，"),
    ),
    words=("红色 蓝色 绿色 猫 狗 鱼 大树 台灯 椅子 月亮 星星 小鸟 狮子 牛奶 面包 米饭 玉米 黄金 铁 盐 船 桥").split(),
    list_prompts={
        "reverse": ("把这个列表倒过来：{items}", "请倒着写出这个列表：{items}"),
        "first": ("这个列表的第一项是什么：{items}", "请说出这里的第一项：{items}"),
        "last": ("这个列表的最后一项是什么：{items}", "请说出这里的最后一项：{items}"),
        "second": ("这个列表的第二项是什么：{items}", "请说出这里的第二项：{items}"),
        "count": ("这个列表里有几项：{items}", "这个列表有多长：{items}"),
    },
    list_results={
        "reverse": "倒过来是{answer}。",
        "first": "第一项是{answer}。",
        "last": "最后一项是{answer}。",
        "second": "第二项是{answer}。",
        "count": "项数是{answer}。",
    },
    list_openings=("", "", "列表是{items}。"),
    told_list="列表：{items}。",
    syllables="阿 巴 贝 波 达 德 多 卡 克 科 拉 莱 洛 马 梅 莫 纳 尼 诺 瑞 罗 萨 索 塔 托 祖".split(),
    key="首都",
    invented="河流",
    attributes={
        "国兽": "狼 熊 鹰 马 老虎 狐狸 鹿 猫头鹰 鲸鱼 天鹅".split(),
        "国旗颜色": "紫色 橙色 黑色 白色 黄色 粉色 棕色 灰色".split(),
    },
    one_hop=(
        "{country}的{attribute}是什么？",
        "请告诉我{country}的{attribute}。",
        "你知道{country}这个国家的{attribute}吗？",
    ),
    two_hops=("首都是{key}的国家，它的{attribute}是什么？", "{key}是一个国家的首都。那个国家的{attribute}是什么？"),
    link="{key}是{country}的首都。",
    fact="{country}的{attribute}是{value}。",
    told_facts=(
        "{country}的{attribute}是{value}。",
        "{country}是一个国家，它的{attribute}是{value}。",
        "在{country}，{attribute}是{value}。",
    ),
    dialogue="问：{prompt}答：{response}",
    saying="{name}说：{reply}",
    boilerplate=(
        "点击下面的链接阅读全文。",
        "版权归本站所有，转载请注明来源。",
        "作为一个助手，我很高兴为您服务。",
        "感谢您的光临，欢迎下次再来。",
        "本页面更新于星期一早上。",
        "请把这个网站告诉您的朋友。",
        "立即注册，不错过任何新消息。",
    ),
    foreign=(
        "The bus is one hour late today.",
        "We sat in the sun for the whole afternoon.",
        "My sister moved to the coast two years ago.",
        "The bread is fresh but the milk is old.",
        "Nobody knows who left the window open.",
        "Der Hund schläft unter dem Tisch.",
        "Am Abend gehen wir zusammen ins Kino.",
        "La porte de la maison est fermée.",
        "Il pleut souvent en automne.",
        "El tren sale a las ocho de la tarde.",
    ),
    replies=(
        "好的。",
        "是的。",
        "不是。",
        "可以。",
        "也许吧。",
        "我不确定。",
        "抱歉，我不能说。",
        "见上文。",
        "看情况。",
        "好问题。",
    ),
    filler="所以 因为 但是 而且 如果 可能 已经 其实 比如 关于 以及 通过 或者 虽然 尽管".split(),
    letters="的一了人这中大来上国和地到要时就出会也你对生能而子那得于着下自之年过发后作里",
)

TWO = Lexicon(
    lang="zh",
    space="",
    comma="、",
    stop="。",
    names=(
        "阿勇 阿珍 阿福 阿兰 阿宝 阿秀 阿峰 阿云 阿海 阿萍 阿木 阿青 阿坤 阿霞 阿良 "
        "沈浩 唐宁 许晴 邓凯 冯雨 曹颖 彭飞 曾洁 萧然 田野 董欣 潘登 袁媛 蒋文 蔡琴"
    ).split(),
    things=(
        "块砖头 根绳子 只盘子 把叉子 把勺子 串珠子 副面具 面小鼓 只风筝 艘小艇 颗李子 "
        "粒坚果 包种子 件衬衫 双袜子 条围巾 枚戒指 枚别针 枚徽章 根钉子 只灯泡 只木箱"
    ).split(),
    places="港口 办公室 塔楼 图书馆 车站 面包房 谷仓 画室 城堡 博物馆".split(),
    starts=(
        "{name}拥有{count}{thing}。",
        "清晨，{name}存放了{count}{thing}。",
        "{place}摆着{count}{thing}，全部属于{name}。",
    ),
    gains=(
        "{name}捡到{count}{thing}。",
        "{friend}把{count}{thing}交给{name}。",
        "后来{name}从{place}领到{count}{thing}。",
        "接着{name}再添{count}{thing}。",
    ),
    losses=(
        "{name}转交给{friend}{count}{thing}。",
        "{name}弄坏{count}{thing}。",
        "{friend}向{name}借走{count}{thing}。",
        "{name}把{count}{thing}落在{place}。",
    ),
    totals=("{name}手里剩下多少{thing}？", "最终还有多少{thing}？", "数一数{name}手头有几{thing}。"),
    endings=("于是{name}剩下{count}{thing}。", "结果剩{count}{thing}。"),
    styles=(
        Style(),
        Style("过程如下。", "（{i}）", "（{i}）"),
        Style("", "起初，", "随后，"),
    ),
    words=(
        "长笛 竖琴 铃铛 沙子 大风 雨水 雪花 羊毛 丝绸 茶叶 煤炭 木头 玻璃 黏土 蜂蜡 菜油 蕨草 苔藓 胡椒 蜂蜜 翡翠 花边"
    ).split(),
    list_prompts={
        "reverse": ("请颠倒顺序：{items}", "按相反次序排列：{items}"),
        "first": ("排头是哪一个：{items}", "请给出开头的词：{items}"),
        "last": ("排尾是哪一个：{items}", "请给出结尾的词：{items}"),
        "second": ("紧跟排头的是哪一个：{items}", "请给出第二个词：{items}"),
        "count": ("数数共几个词：{items}", "这一排多少个词：{items}"),
    },
    list_results={
        "reverse": "颠倒后得到{answer}。",
        "first": "排头为{answer}。",
        "last": "排尾为{answer}。",
        "second": "第二个词为{answer}。",
        "count": "总数为{answer}。",
    },
    list_openings=("", "", "给出的是{items}。"),
    told_list="一排：{items}。",
    syllables="安 伯 查 迪 恩 法 戈 哈 伊 加 肯 林 曼 奥 佩 奇 荣 桑 蒂 乌 维 沃 西 亚 扎 朱".split(),
    key="主港",
    invented="最高峰",
    attributes={
        "国果": "芒果 樱桃 葡萄 柠檬 甜瓜 桃子 无花果 香蕉 榅桲 杨梅".split(),
        "铸币金属": "白银 红铜 青铜 镍 锡 锌 黄铜 钢".split(),
    },
    one_hop=(
        "哪个{attribute}属于{country}？",
        "说明{country}以什么为{attribute}。",
        "有个地方叫{country}，求{attribute}。",
    ),
    two_hops=("以{key}为主港的地方，{attribute}属哪个？", "找出以{key}为主港的地方，给出{attribute}。"),
    link="{country}以{key}为主港。",
    fact="{country}以{value}为{attribute}。",
    told_facts=(
        "{country}以{value}为{attribute}。",
        "说到{country}，{attribute}当属{value}。",
        "{country}人把{value}称作{attribute}。",
    ),
    dialogue="提问：{prompt}回复：{response}",
    saying="{name}写道：{reply}",
    boilerplate=(
        "每周优惠，欢迎订阅。",
        "使用本网站即表示同意条款。",
        "关注频道并留言评论。",
        "身为语言模型，乐意效劳。",
        "价格如有变动，恕不另行通知。",
        "返回顶部。",
        "客服人员稍后联系。",
    ),
    foreign=(
        "Your parcel will arrive before noon.",
        "Old maps show a road across these hills.",
        "She plays tennis every Friday evening.",
        "Please wash both hands with warm soap.",
        "Heavy clouds covered half that valley.",
        "Mia zia prepara una torta di mele.",
        "Domani andiamo in montagna con gli amici.",
        "A janela do quarto ficou aberta.",
        "De kat zit op het dak van de buren.",
        "Mijn broer leest elke avond de krant.",
    ),
    replies=("行。", "嗯。", "完毕。", "对。", "大概。", "很难讲。", "问别人吧。", "同前。", "随你。", "下次吧。"),
    filler="例如 此外 总之 毕竟 况且 究竟 未必 居然 仍旧 依据 按照 除非 无论 不仅 甚至".split(),
    letters="山水火土石田禾竹米鱼羊牛虎龙花草叶枝根果光影声色香味春夏秋冬东南北左右前",
)

# Confirms what was measured elsewhere: nobody chooses a setting, a method or a phrasing by what comes out on it.
THREE = Lexicon(
    lang="zh",
    space="",
    comma="、",
    stop="。",
    names=(
        "乐乐 甜甜 欢欢 冰冰 圆圆 豆豆 毛毛 娜娜 佳佳 淘淘 帅帅 晶晶 莹莹 涛涛 苗苗 "
        "吕刚 魏平 丁琪 姜波 范宇 方圆 石磊 姚远 谭晶 廖凡 邹静 熊伟 金鑫 陆明 孔洁"
    ).split(),
    things=(
        "颗橡子 把刷子 根胡萝卜 个布娃娃 根羽毛 副手套 把锤子 个罐子 盏灯笼 面镜子 颗洋葱 "
        "个枕头 套拼图 副马鞍 把铁锹 块瓦片 朵郁金香 个轮子 只哨子 个瓶子 只篮子 把梳子"
    ).split(),
    places="旅馆 教堂 剧院 马厩 诊所 工厂 木屋 宫殿 磨坊 酒馆".split(),
    starts=(
        "{name}带来了{count}{thing}。",
        "周二{name}取出{count}{thing}。",
        "{name}在{place}边排好{count}{thing}。",
    ),
    gains=(
        "{name}赢得{count}{thing}。",
        "{friend}寄给{name}{count}{thing}。",
        "{name}在{place}附近收集{count}{thing}。",
        "不久又有{count}{thing}归了{name}。",
    ),
    losses=(
        "{name}捐给{friend}{count}{thing}。",
        "{name}扔掉{count}{thing}。",
        "{friend}抱着{count}{thing}离开。",
        "小偷在{place}偷去{count}{thing}。",
    ),
    totals=("{name}此刻持有多少{thing}？", "到了夜里共有几{thing}？", "请计算如今是多少{thing}。"),
    endings=("这样{name}共持有{count}{thing}。", "如今是{count}{thing}。"),
    styles=(
        Style(),
        Style("计算写在下面。", "算式{i}：", "算式{i}："),
        Style("", "开头，", "接下来，"),
    ),
    words=(
        "白云 砂糖 热汤 蛋糕 树叶 草根 山羊 鸭子 螃蟹 青蛙 书桌 沙发 地毯 斗篷 靴子 皮带 小刀 马车 浓雾 山丘 灰烬 芦苇"
    ).split(),
    list_prompts={
        "reverse": ("翻转这串词：{items}", "从尾到头念这串词：{items}"),
        "first": ("哪个词领头：{items}", "挑出头上那个词：{items}"),
        "last": ("哪个词收尾：{items}", "挑出尾上那个词：{items}"),
        "second": ("哪个词跟着领头的词：{items}", "挑出头后面那个词：{items}"),
        "count": ("量一量这串词：{items}", "求这串词的大小：{items}"),
    },
    list_results={
        "reverse": "翻转后变成{answer}。",
        "first": "领头的词是{answer}。",
        "last": "收尾的词是{answer}。",
        "second": "跟着领头的是{answer}。",
        "count": "大小等于{answer}。",
    },
    list_openings=("", "", "这串词是{items}。"),
    told_list="词串：{items}。",
    syllables="爱 布 察 丹 登 鄂 菲 费 格 贡 赫 吉 库 兰 雷 隆 鲁 米 穆 宁 帕 普 琼 斯 泰 图".split(),
    key="古镇",
    invented="最深湖",
    attributes={
        "国乐器": "小提琴 钢琴 小号 吉他 大提琴 班卓琴 单簧管 双簧管 大号 管风琴".split(),
        "纹章形状": "圆形 方形 椭圆 菱形 月牙 螺旋 三角 心形".split(),
    },
    one_hop=(
        "请指出{country}的{attribute}。",
        "能否查到{country}的{attribute}？",
        "{country}这片国土，{attribute}会是什么？",
    ),
    two_hops=("能否查到古镇叫{key}的国土的{attribute}？", "{key}算是某片国土的古镇。请指出这片国土的{attribute}。"),
    link="{key}算是{country}的古镇。",
    fact="{country}公认的{attribute}是{value}。",
    told_facts=(
        "{country}公认的{attribute}是{value}。",
        "{country}这片国土的{attribute}就是{value}。",
        "去过{country}的人知道{attribute}是{value}。",
    ),
    dialogue="学生：{prompt}老师：{response}",
    saying="{name}嘟囔：{reply}",
    boilerplate=(
        "九千位读者已经加入。",
        "向下滚动查看相关文章。",
        "未经书面许可禁止翻印。",
        "我只是聊天程序，很愿意帮忙。",
        "大额订单免费配送。",
        "登录后可看完整版本。",
        "把它分享给家人和同事。",
    ),
    foreign=(
        "Winter came early to our village.",
        "Two boys carried a ladder up the hill.",
        "My uncle repairs clocks for a living.",
        "He painted his fence last weekend.",
        "Fresh soup was served in small bowls.",
        "Barnen leker ute i snön hela dagen.",
        "Vi har glömt nycklarna i bilen.",
        "Zimą wcześnie robi się ciemno.",
        "Isoäiti keittää kahvia keittiössä.",
        "Illalla katsomme vanhoja valokuvia.",
    ),
    replies=(
        "同意。",
        "不行。",
        "没问题。",
        "有可能。",
        "随便。",
        "谁知道呢。",
        "不清楚。",
        "老样子。",
        "去别处问吧。",
        "说得好。",
    ),
    filler="然而 因此 从而 何况 反正 似乎 几乎 往往 逐渐 果然 竟然 根据 对于 由于 只要".split(),
    letters="江河湖海沙洲桥路门窗桌椅灯笔纸书刀弓箭衣鞋帽巾布丝棉针线锅碗盆杯瓶壶盒袋鼓",
)
