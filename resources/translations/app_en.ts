<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="zh_CN">
<context>
    <name>AboutDialog</name>
    <message>
        <source>关于拜年帖</source>
        <translation>About Bainiantie</translation>
    </message>
    <message>
        <source>拜年帖</source>
        <translation>拜年帖 Bainiantie</translation>
    </message>
    <message>
        <source>版本 {version}</source>
        <translation>Version {version}</translation>
    </message>
    <message>
        <source>给一个人写一条新年祝福，像你自己写的。语言模型跑在你自己的电脑上，写什么、写给谁，都不会离开这台机器。
代码以 Apache-2.0 许可证公开。它用到的软件、字体和模型各有各的许可证，都在下面。</source>
        <translation>Writes the New Year message you would have written yourself, to one particular person. The language model runs on your own computer; what you write and to whom never leaves it.
The code is public under the Apache License 2.0. The software, fonts and models it uses have licences of their own, all of them below.</translation>
    </message>
    <message>
        <source>许可证</source>
        <translation>Licences</translation>
    </message>
    <message>
        <source>许可证全文</source>
        <translation>Text of the licence</translation>
    </message>
    <message>
        <source>关闭</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>读不到这份许可证，程序可能没有装全，请重新安装。
{reason}</source>
        <translation>This licence cannot be read; the program may not be installed whole. Please install it again.
{reason}</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>知道了</source>
        <translation>Dismiss</translation>
    </message>
</context>
<context>
    <name>BatchDetail</name>
    <message>
        <source>这一位的祝福</source>
        <translation>This person&apos;s greeting</translation>
    </message>
    <message>
        <source>只写选中的，现在有的留在历史里  {keys}</source>
        <translation>Writes only what is chosen; what is there now stays in the history  {keys}</translation>
    </message>
    <message>
        <source>重写选中的 {count} 行</source>
        <translation>Rewrite the {count} chosen</translation>
    </message>
    <message>
        <source>重写</source>
        <translation>Rewrite</translation>
    </message>
    <message>
        <source>写这一条</source>
        <translation>Write this one</translation>
    </message>
    <message>
        <source>复制</source>
        <translation>Copy</translation>
    </message>
</context>
<context>
    <name>BatchFoot</name>
    <message>
        <source>写好的</source>
        <translation>Written</translation>
    </message>
    <message>
        <source>暂停</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>继续</source>
        <translation>Continue</translation>
    </message>
    <message>
        <source>全部写好</source>
        <translation>Write all</translation>
    </message>
    <message>
        <source>复制下一条</source>
        <translation>Copy next</translation>
    </message>
    <message>
        <source>去准备模型</source>
        <translation>Prepare the model</translation>
    </message>
    <message>
        <source>模型准备好就能写</source>
        <translation>Ready once the model is</translation>
    </message>
</context>
<context>
    <name>BatchIntake</name>
    <message>
        <source>表格和名片 (*.csv *.tsv *.txt *.vcf);;所有文件 (*)</source>
        <translation>Tables and cards (*.csv *.tsv *.txt *.vcf);;All files (*)</translation>
    </message>
    <message>
        <source>导入</source>
        <translation>Import</translation>
    </message>
</context>
<context>
    <name>BatchMenu</name>
    <message>
        <source>导出为 CSV…</source>
        <translation>Export as CSV…</translation>
    </message>
    <message>
        <source>重写选中的 {count} 行</source>
        <translation>Rewrite the {count} chosen</translation>
    </message>
    <message>
        <source>重写没写成的 {count} 行</source>
        <translation>Rewrite the {count} that failed</translation>
    </message>
    <message>
        <source>新的一批</source>
        <translation>New batch</translation>
    </message>
    <message>
        <source>{title}（{count} 人）</source>
        <translation>{title} ({count})</translation>
    </message>
</context>
<context>
    <name>BatchPage</name>
    <message>
        <source>每个人，都有自己的一条</source>
        <translation>A greeting of their own for everyone</translation>
    </message>
    <message>
        <source>写好了由你一条条复制去发，程序不会替你发送任何东西。</source>
        <translation>You copy each one and send it yourself; nothing is ever sent from here.</translation>
    </message>
    <message>
        <source>把名单粘贴到这里：在表格里选好姓名、关系、想提到的事，复制，回来按 {keys}。
也可以导入 CSV 或手机通讯录的名片（.vcf），或者一行一行地加。</source>
        <translation>Paste your list here: select names, relationships and facts in a spreadsheet, copy them, come back and press {keys}.
Or import a CSV file or the cards of your phone (.vcf), or add people row by row.</translation>
    </message>
    <message>
        <source>加一行</source>
        <translation>Add a row</translation>
    </message>
    <message>
        <source>移走</source>
        <translation>Remove</translation>
    </message>
    <message>
        <source>粘贴</source>
        <translation>Paste</translation>
    </message>
    <message>
        <source>导入…</source>
        <translation>Import…</translation>
    </message>
    <message>
        <source>更多</source>
        <translation>More</translation>
    </message>
    <message>
        <source>导出、重写、别的名单</source>
        <translation>Export, rewriting, other lists</translation>
    </message>
    <message>
        <source>收件人</source>
        <translation>People</translation>
    </message>
    <message>
        <source>CSV 表格 (*.csv)</source>
        <translation>CSV table (*.csv)</translation>
    </message>
    <message>
        <source>导出</source>
        <translation>Export</translation>
    </message>
</context>
<context>
    <name>BatchPreview</name>
    <message>
        <source>导入</source>
        <translation>Import</translation>
    </message>
    <message>
        <source>有问题的行</source>
        <translation>Rows with something to say</translation>
    </message>
    <message>
        <source>粘贴的表格</source>
        <translation>Pasted cells</translation>
    </message>
    <message>
        <source>姓名</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>关系</source>
        <translation>Relationship</translation>
    </message>
    <message>
        <source>称呼</source>
        <translation>Called</translation>
    </message>
    <message>
        <source>想提到的事</source>
        <translation>Facts</translation>
    </message>
    <message>
        <source>语气</source>
        <translation>Tone</translation>
    </message>
    <message>
        <source>备注</source>
        <translation>Notes</translation>
    </message>
    <message>
        <source>不用</source>
        <translation>Not used</translation>
    </message>
    <message>
        <source>第 {number} 列</source>
        <translation>Column {number}</translation>
    </message>
    <message>
        <source>不加了</source>
        <translation>Cancel</translation>
    </message>
    <message>
        <source>可以加入 {count} 人。</source>
        <translation>People who can be added: {count}.</translation>
    </message>
    <message>
        <source>{count} 行有问题，见下。</source>
        <translation>Rows with a problem: {count}, see below.</translation>
    </message>
    <message>
        <source>{count} 处请看一眼。</source>
        <translation>To look at: {count}.</translation>
    </message>
    <message>
        <source>加入 {count} 人</source>
        <translation>Add {count}</translation>
    </message>
</context>
<context>
    <name>BatchRowMenu</name>
    <message>
        <source>写这 {count} 行</source>
        <translation>Write these {count} rows</translation>
    </message>
    <message>
        <source>写这一行</source>
        <translation>Write this row</translation>
    </message>
    <message>
        <source>复制这一条</source>
        <translation>Copy this text</translation>
    </message>
    <message>
        <source>移走</source>
        <translation>Remove</translation>
    </message>
</context>
<context>
    <name>BatchStrip</name>
    <message>
        <source>拜年帖 · 复制</source>
        <translation>拜年帖 · Copying</translation>
    </message>
    <message>
        <source>没有姓名</source>
        <translation>No name</translation>
    </message>
    <message>
        <source>已复制，去粘贴 · 还有 {count} 条</source>
        <translation>Copied, paste it now · {count} left</translation>
    </message>
    <message>
        <source>都复制过了</source>
        <translation>All copied</translation>
    </message>
    <message>
        <source>没有复制</source>
        <translation>Nothing copied</translation>
    </message>
    <message>
        <source>程序不会替你发送任何东西。</source>
        <translation>Nothing is ever sent from here.</translation>
    </message>
    <message>
        <source>还有 {count} 条</source>
        <translation>{count} left</translation>
    </message>
    <message>
        <source>没有别的了</source>
        <translation>No other is left</translation>
    </message>
    <message>
        <source>只剩跳过的这一条：{name}。没有复制；要发给这一位，就点“复制下一条”。</source>
        <translation>Only the one you skipped is left: {name}. Nothing was copied; to send it, choose Copy next.</translation>
    </message>
    <message>
        <source>这条没发</source>
        <translation>Not sent</translation>
    </message>
    <message>
        <source>撤销：这一条不算发过，仍留在队里</source>
        <translation>Undo: this one does not count as sent and stays in the queue</translation>
    </message>
    <message>
        <source>跳过下一条</source>
        <translation>Skip next</translation>
    </message>
    <message>
        <source>复制下一条</source>
        <translation>Copy next</translation>
    </message>
</context>
<context>
    <name>BatchTable</name>
    <message>
        <source>写好 {done} / {rows}</source>
        <translation>{done} / {rows} written</translation>
    </message>
    <message>
        <source>{count} 行没写成</source>
        <translation>{count} failed</translation>
    </message>
    <message>
        <source>{count} 行请看一眼</source>
        <translation>{count} to look at</translation>
    </message>
    <message>
        <source>{count} 行相近</source>
        <translation>{count} alike</translation>
    </message>
    <message>
        <source>已复制 {count}</source>
        <translation>{count} copied</translation>
    </message>
    <message>
        <source>姓名</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>关系</source>
        <translation>Relationship</translation>
    </message>
    <message>
        <source>称呼</source>
        <translation>Called</translation>
    </message>
    <message>
        <source>想提到的事</source>
        <translation>Facts</translation>
    </message>
    <message>
        <source>语气</source>
        <translation>Tone</translation>
    </message>
    <message>
        <source>状态</source>
        <translation>State</translation>
    </message>
    <message>
        <source>祝福</source>
        <translation>Greeting</translation>
    </message>
    <message>
        <source>已复制</source>
        <translation>Copied</translation>
    </message>
    <message>
        <source>请看一眼</source>
        <translation>Look at it</translation>
    </message>
    <message>
        <source>与别人相近</source>
        <translation>Like another</translation>
    </message>
    <message>
        <source>等着写</source>
        <translation>Waiting</translation>
    </message>
    <message>
        <source>正在写…</source>
        <translation>Writing…</translation>
    </message>
    <message>
        <source>写好了</source>
        <translation>Written</translation>
    </message>
    <message>
        <source>没写成</source>
        <translation>Failed</translation>
    </message>
    <message>
        <source>和 {names} 的很像</source>
        <translation>Much like that of {names}</translation>
    </message>
    <message>
        <source>选一个</source>
        <translation>Choose</translation>
    </message>
</context>
<context>
    <name>BatchWish</name>
    <message>
        <source>场合</source>
        <translation>Occasion</translation>
    </message>
    <message>
        <source>篇幅</source>
        <translation>Length</translation>
    </message>
    <message>
        <source>生肖</source>
        <translation>Zodiac</translation>
    </message>
    <message>
        <source>落款</source>
        <translation>Signature</translation>
    </message>
    <message>
        <source>不写</source>
        <translation>None</translation>
    </message>
    <message>
        <source>例如：小李</source>
        <translation>e.g. 小李</translation>
    </message>
</context>
<context>
    <name>CandidateCard</name>
    <message>
        <source>还没写完，写完再复制</source>
        <translation>Not finished yet; copy it once it is</translation>
    </message>
    <message>
        <source>已复制，记作发给{name}</source>
        <translation>Copied as sent to {name}</translation>
    </message>
    <message>
        <source>已复制，记作已发</source>
        <translation>Copied as sent</translation>
    </message>
    <message>
        <source>好，不算发出</source>
        <translation>Noted as not sent</translation>
    </message>
    <message>
        <source>第 {number} 条祝福</source>
        <translation>Greeting {number}</translation>
    </message>
    <message>
        <source>复制</source>
        <translation>Copy</translation>
    </message>
    <message>
        <source>复制第 {number} 条</source>
        <translation>Copy greeting {number}</translation>
    </message>
    <message>
        <source>换一条</source>
        <translation>Another</translation>
    </message>
    <message>
        <source>重新写这一条，现在的留在“上一条”里</source>
        <translation>Write this one anew; the present text stays under Previous</translation>
    </message>
    <message>
        <source>换掉第 {number} 条</source>
        <translation>Write greeting {number} anew</translation>
    </message>
    <message>
        <source>做成贺卡</source>
        <translation>Card</translation>
    </message>
    <message>
        <source>把第 {number} 条做成贺卡</source>
        <translation>Make a card of greeting {number}</translation>
    </message>
    <message>
        <source>撤销</source>
        <translation>Undo</translation>
    </message>
    <message>
        <source>撤销：这一条没有发出</source>
        <translation>Undo: this one was not sent</translation>
    </message>
    <message>
        <source>上一条</source>
        <translation>Previous</translation>
    </message>
    <message>
        <source>下一条</source>
        <translation>Next</translation>
    </message>
    <message>
        <source>选好关系和语气，按“写祝福”，祝福会写在这里。</source>
        <translation>Choose who it is for and a tone, press Write: the greetings appear here.</translation>
    </message>
    <message>
        <source>每一条都可以直接改。不满意，就换一条。</source>
        <translation>Edit any of them in place. Not quite it? Ask for another.</translation>
    </message>
    <message>
        <source>按 {first}、{second}、{third} 复制，去聊天窗口粘贴。</source>
        <translation>Copy with {first}, {second} or {third}, and paste it into your chat.</translation>
    </message>
    <message>
        <source>正在写…</source>
        <translation>Writing…</translation>
    </message>
    <message>
        <source>挑选中…</source>
        <translation>Choosing…</translation>
    </message>
    <message>
        <source>没写完</source>
        <translation>Unfinished</translation>
    </message>
    <message>
        <source>正在存…</source>
        <translation>Keeping…</translation>
    </message>
    <message>
        <source>没有存下</source>
        <translation>Not kept</translation>
    </message>
    <message>
        <source>第 {number} 条取消收藏</source>
        <translation>Greeting {number} is no favourite</translation>
    </message>
    <message>
        <source>收藏第 {number} 条</source>
        <translation>Make greeting {number} a favourite</translation>
    </message>
    <message>
        <source>取消收藏</source>
        <translation>No favourite</translation>
    </message>
    <message>
        <source>收藏</source>
        <translation>Favourite</translation>
    </message>
    <message>
        <source>已复制</source>
        <translation>Copied</translation>
    </message>
</context>
<context>
    <name>CardDialog</name>
    <message>
        <source>PNG 图片 (*.png)</source>
        <translation>PNG picture (*.png)</translation>
    </message>
    <message>
        <source>PDF 文件 (*.pdf)</source>
        <translation>PDF file (*.pdf)</translation>
    </message>
    <message>
        <source>做成贺卡</source>
        <translation>Make a card</translation>
    </message>
    <message>
        <source>文字</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>落款</source>
        <translation>Signed</translation>
    </message>
    <message>
        <source>生肖印</source>
        <translation>Zodiac seal</translation>
    </message>
    <message>
        <source>尺寸</source>
        <translation>Shape</translation>
    </message>
    <message>
        <source>贺卡预览</source>
        <translation>Preview of the card</translation>
    </message>
    <message>
        <source>竖幅 3:4</source>
        <translation>Portrait 3:4</translation>
    </message>
    <message>
        <source>1080×1440 像素，适合手机屏幕</source>
        <translation>1080×1440 pixels, for a phone&apos;s screen</translation>
    </message>
    <message>
        <source>方形</source>
        <translation>Square</translation>
    </message>
    <message>
        <source>1080×1080 像素，适合朋友圈</source>
        <translation>1080×1080 pixels, for Moments</translation>
    </message>
    <message>
        <source>复制图片</source>
        <translation>Copy picture</translation>
    </message>
    <message>
        <source>存为图片…</source>
        <translation>Save picture…</translation>
    </message>
    <message>
        <source>存为 PDF…</source>
        <translation>Save PDF…</translation>
    </message>
    <message>
        <source>关闭</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>还没有文字，写一句再做成贺卡。</source>
        <translation>There is no text yet; write a line to make a card of it.</translation>
    </message>
    <message>
        <source>有 {count} 个表情或生僻字，这台电脑没有字体能画，贺卡上会略去。</source>
        <translation>No font on this computer can draw {count} emoji or rare characters; the card leaves them out.</translation>
    </message>
    <message>
        <source>保存贺卡</source>
        <translation>Save the card</translation>
    </message>
    <message>
        <source>不盖</source>
        <translation>None</translation>
    </message>
</context>
<context>
    <name>ComposePage</name>
    <message>
        <source>模型准备好就能写</source>
        <translation>Ready to write once the model is</translation>
    </message>
    <message>
        <source>{key} 停止</source>
        <translation>{key} stops</translation>
    </message>
</context>
<context>
    <name>DesignList</name>
    <message>
        <source>款式</source>
        <translation>Designs</translation>
    </message>
    <message>
        <source>竖排</source>
        <translation>Vertical</translation>
    </message>
    <message>
        <source>横排</source>
        <translation>Horizontal</translation>
    </message>
</context>
<context>
    <name>Details</name>
    <message>
        <source>收起</source>
        <translation>Less</translation>
    </message>
    <message>
        <source>详情</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>已复制</source>
        <translation>Copied</translation>
    </message>
    <message>
        <source>复制详情</source>
        <translation>Copy details</translation>
    </message>
</context>
<context>
    <name>DeviceField</name>
    <message>
        <source>设备</source>
        <translation>Device</translation>
    </message>
    <message>
        <source>自动</source>
        <translation>Automatic</translation>
    </message>
    <message>
        <source>有合适的显卡就用，没有就用 CPU</source>
        <translation>The GPU where there is a fit one, else the CPU</translation>
    </message>
    <message>
        <source>只用 CPU</source>
        <translation>CPU only</translation>
    </message>
    <message>
        <source>显卡写出来的不对，或者写着写着就停，可以试试</source>
        <translation>Worth a try where the GPU writes nonsense or stops in the middle</translation>
    </message>
    <message>
        <source>还没有打开模型。</source>
        <translation>No model is open yet.</translation>
    </message>
    <message>
        <source>{count} 层在显卡上</source>
        <translation>{count} layers on the GPU</translation>
    </message>
    <message>
        <source>{count} 个线程</source>
        <translation>{count} threads</translation>
    </message>
</context>
<context>
    <name>DocumentDialog</name>
    <message>
        <source>导入</source>
        <translation>Import</translation>
    </message>
    <message>
        <source>导入的进度</source>
        <translation>Progress of the import</translation>
    </message>
    <message>
        <source>停止</source>
        <translation>Stop</translation>
    </message>
    <message>
        <source>知道了</source>
        <translation>All right</translation>
    </message>
    <message>
        <source>不导入</source>
        <translation>Do not import</translation>
    </message>
    <message>
        <source>正在导入。这时停止，什么都不会改动。</source>
        <translation>Importing. Stopped now, it changes nothing.</translation>
    </message>
    <message>
        <source>正在读这个文件…</source>
        <translation>Reading the file…</translation>
    </message>
    <message>
        <source>只会加上这里没有的；已经有的保持原样，不会重复，也不会被改动。</source>
        <translation>Only what is not here yet is added; what is here stays as it is, neither doubled nor changed.</translation>
    </message>
    <message>
        <source>文件里的都已经在这里了，没有什么要导入的。</source>
        <translation>Everything in the file is here already; there is nothing to import.</translation>
    </message>
    <message>
        <source>联系人</source>
        <translation>People</translation>
    </message>
    <message>
        <source>祝福</source>
        <translation>Greetings</translation>
    </message>
    <message>
        <source>发送记录</source>
        <translation>Notes of sending</translation>
    </message>
    <message>
        <source>群发名单</source>
        <translation>Lists</translation>
    </message>
    <message>
        <source>文件里有</source>
        <translation>In the file</translation>
    </message>
    <message>
        <source>要加上的</source>
        <translation>To be added</translation>
    </message>
</context>
<context>
    <name>EntryDetail</name>
    <message>
        <source>祝福</source>
        <translation>Greeting</translation>
    </message>
    <message>
        <source>复制</source>
        <translation>Copy</translation>
    </message>
    <message>
        <source>做成贺卡</source>
        <translation>Make a card</translation>
    </message>
    <message>
        <source>删除</source>
        <translation>Delete</translation>
    </message>
    <message>
        <source>取消收藏</source>
        <translation>No favourite</translation>
    </message>
    <message>
        <source>收藏</source>
        <translation>Favourite</translation>
    </message>
    <message>
        <source>想提到的事：{facts}</source>
        <translation>To mention: {facts}</translation>
    </message>
    <message>
        <source>写于 {when}</source>
        <translation>Written {when}</translation>
    </message>
    <message>
        <source>模型 {model}，种子 {seed}</source>
        <translation>Model {model}, seed {seed}</translation>
    </message>
    <message>
        <source>还没有发出</source>
        <translation>Not sent yet</translation>
    </message>
    <message>
        <source>{when} 发给{name}</source>
        <translation>Sent to {name}, {when}</translation>
    </message>
    <message>
        <source>{when} 发出</source>
        <translation>Sent {when}</translation>
    </message>
    <message>
        <source>此前还发过 {count} 次</source>
        <translation>and {count} times before</translation>
    </message>
</context>
<context>
    <name>FetchingForm</name>
    <message>
        <source>自动（依次试下面几个）</source>
        <translation>Automatic (tries these in turn)</translation>
    </message>
    <message>
        <source>模型站（Hugging Face Hub）</source>
        <translation>Hugging Face Hub</translation>
    </message>
    <message>
        <source>镜像</source>
        <translation>A mirror</translation>
    </message>
    <message>
        <source>软件包索引</source>
        <translation>Package index</translation>
    </message>
    <message>
        <source>磁盘上的文件…</source>
        <translation>A file on disk…</translation>
    </message>
    <message>
        <source>文件：{name}</source>
        <translation>File: {name}</translation>
    </message>
    <message>
        <source>跟随系统</source>
        <translation>As the system</translation>
    </message>
    <message>
        <source>不用代理</source>
        <translation>None</translation>
    </message>
    <message>
        <source>自己填</source>
        <translation>My own</translation>
    </message>
    <message>
        <source>从哪下载</source>
        <translation>Where from</translation>
    </message>
    <message>
        <source>镜像地址</source>
        <translation>Address of a mirror</translation>
    </message>
    <message>
        <source>可不填</source>
        <translation>optional</translation>
    </message>
    <message>
        <source>代理</source>
        <translation>Proxy</translation>
    </message>
    <message>
        <source>代理地址</source>
        <translation>Address of the proxy</translation>
    </message>
</context>
<context>
    <name>Figures</name>
    <message>
        <source>不到 1 分钟</source>
        <translation>less than a minute left</translation>
    </message>
    <message>
        <source>还要约 {minutes} 分钟</source>
        <translation>about {minutes} min left</translation>
    </message>
    <message>
        <source>还要约 {hours} 小时</source>
        <translation>about {hours} h left</translation>
    </message>
    <message>
        <source>暂时没有数据过来，正在等，等不到会自己重连</source>
        <translation>nothing is coming just now; it waits, and connects again by itself if need be</translation>
    </message>
</context>
<context>
    <name>FirstStart</name>
    <message>
        <source>还差一个模型</source>
        <translation>One thing is missing: the model</translation>
    </message>
    <message>
        <source>模型还没准备完</source>
        <translation>The model is not ready yet</translation>
    </message>
    <message>
        <source>已暂停</source>
        <translation>Paused</translation>
    </message>
    <message>
        <source>没有准备好</source>
        <translation>The model is not ready</translation>
    </message>
    <message>
        <source>模型要重新准备</source>
        <translation>The model must be prepared anew</translation>
    </message>
    <message>
        <source>正在准备模型</source>
        <translation>Preparing the model</translation>
    </message>
    <message>
        <source>开始准备</source>
        <translation>Prepare it</translation>
    </message>
    <message>
        <source>暂停</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>做完的部分都留着，随时可以接着来。</source>
        <translation>What is done is kept; go on whenever you like.</translation>
    </message>
    <message>
        <source>基础模型已经下载好了。点“继续”在本机生成，大约一分钟，不用联网。</source>
        <translation>The base model is downloaded. Choose Continue to build the model here: about a minute, without a network.</translation>
    </message>
    <message>
        <source>已下载 {here} MB，共 {total} MB。点“继续”接着下。</source>
        <translation>{here} MB of {total} MB are downloaded. Choose Continue to go on from there.</translation>
    </message>
    <message>
        <source>继续</source>
        <translation>Continue</translation>
    </message>
    <message>
        <source>正在暂停…</source>
        <translation>Pausing…</translation>
    </message>
    <message>
        <source>重试</source>
        <translation>Try again</translation>
    </message>
    <message>
        <source>重新准备</source>
        <translation>Prepare anew</translation>
    </message>
    <message>
        <source>准备模型的进度</source>
        <translation>Progress of preparing the model</translation>
    </message>
    <message>
        <source>“模型”页正在做另一件事，一次只能做一件；等它做完，或者去那里停下它，这里就能开始。</source>
        <translation>The page Models is busy with something else, and one thing is done at a time. Wait until it is done, or stop it there; then this can begin.</translation>
    </message>
    <message>
        <source>祝福由你电脑上的模型来写，第一次要下载约 {size} 的基础模型并在本机生成，只有这一次。</source>
        <translation>Greetings are written by a model on your own computer; a base of about {size} is downloaded and built into it, this once.</translation>
    </message>
    <message>
        <source>这时可以先填左边；准备好以后不用联网，你写的内容也不会离开这台电脑。</source>
        <translation>Fill in the form meanwhile; afterwards no network is needed, and nothing you write leaves this computer.</translation>
    </message>
</context>
<context>
    <name>HistoryFiles</name>
    <message>
        <source>历史，作为表格（CSV）…</source>
        <translation>The history as a table (CSV)…</translation>
    </message>
    <message>
        <source>CSV 表格 (*.csv)</source>
        <translation>CSV table (*.csv)</translation>
    </message>
    <message>
        <source>全部数据，可再导入（JSON）…</source>
        <translation>All data, to import again (JSON)…</translation>
    </message>
    <message>
        <source>JSON 文件 (*.json)</source>
        <translation>JSON file (*.json)</translation>
    </message>
    <message>
        <source>导入</source>
        <translation>Import</translation>
    </message>
    <message>
        <source>拜年帖的导出文件 (*.json);;所有文件 (*)</source>
        <translation>Exports of this program (*.json);;All files (*)</translation>
    </message>
    <message>
        <source>导出</source>
        <translation>Export</translation>
    </message>
</context>
<context>
    <name>HistoryFilters</name>
    <message>
        <source>搜词、称呼、一件事</source>
        <translation>A word, name or fact</translation>
    </message>
    <message>
        <source>搜索</source>
        <translation>Search</translation>
    </message>
    <message>
        <source>只看收藏</source>
        <translation>Favourites</translation>
    </message>
    <message>
        <source>只看发过的</source>
        <translation>Sent only</translation>
    </message>
    <message>
        <source>写给谁</source>
        <translation>Written to</translation>
    </message>
    <message>
        <source>年份</source>
        <translation>Year</translation>
    </message>
    <message>
        <source>场合</source>
        <translation>Occasion</translation>
    </message>
    <message>
        <source>所有人</source>
        <translation>Everyone</translation>
    </message>
    <message>
        <source>每一年</source>
        <translation>Any year</translation>
    </message>
    <message>
        <source>各种场合</source>
        <translation>Occasion</translation>
    </message>
</context>
<context>
    <name>HistoryPage</name>
    <message>
        <source>收藏与历史</source>
        <translation>History</translation>
    </message>
    <message>
        <source>写过的祝福</source>
        <translation>What you wrote</translation>
    </message>
    <message>
        <source>导出…</source>
        <translation>Export…</translation>
    </message>
    <message>
        <source>导入…</source>
        <translation>Import…</translation>
    </message>
    <message>
        <source>删除…</source>
        <translation>Delete…</translation>
    </message>
    <message>
        <source>找到的、全部历史，或者所有数据</source>
        <translation>What was found, the whole history, or all data</translation>
    </message>
    <message>
        <source>还没有写过。写好的每一条都会留在这里。</source>
        <translation>Nothing written yet. Every finished greeting is kept here.</translation>
    </message>
    <message>
        <source>去写一条</source>
        <translation>Write one</translation>
    </message>
    <message>
        <source>没有找到。换个词，或者去掉筛选。</source>
        <translation>Nothing found. Try another word, or clear the filters.</translation>
    </message>
    <message>
        <source>去掉筛选</source>
        <translation>Clear the filters</translation>
    </message>
    <message>
        <source>找到的这些…</source>
        <translation>What was found…</translation>
    </message>
    <message>
        <source>全部历史…</source>
        <translation>The whole history…</translation>
    </message>
    <message>
        <source>所有数据，不留痕迹…</source>
        <translation>All data, for good…</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>拜年帖</source>
        <translation>拜年帖 Bainiantie</translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>正在使用</source>
        <translation>In use</translation>
    </message>
    <message>
        <source>{model}的进度</source>
        <translation>Progress of {model}</translation>
    </message>
    <message>
        <source>约 {size}</source>
        <translation>about {size}</translation>
    </message>
    <message>
        <source>许可证未注明</source>
        <translation>licence not stated</translation>
    </message>
    <message>
        <source>内存约 {size}</source>
        <translation>about {size} of memory</translation>
    </message>
    <message>
        <source>为写祝福微调过</source>
        <translation>tuned for greetings</translation>
    </message>
    <message>
        <source>没有微调</source>
        <translation>not tuned</translation>
    </message>
    <message>
        <source>来自：{source}</source>
        <translation>from {source}</translation>
    </message>
    <message>
        <source>校验过，完好</source>
        <translation>checked, whole</translation>
    </message>
    <message>
        <source>就地使用</source>
        <translation>used where it lies</translation>
    </message>
    <message>
        <source>和程序一起装来的</source>
        <translation>came with the program</translation>
    </message>
    <message>
        <source>坏了：{why}</source>
        <translation>Broken: {why}</translation>
    </message>
    <message>
        <source>没有下载完（已下载 {here} MB，共 {all} MB）。点“继续下载”接着下。</source>
        <translation>Not all of it is here ({here} of {all} MB). Press Continue to go on from there.</translation>
    </message>
    <message>
        <source>使用</source>
        <translation>Use</translation>
    </message>
    <message>
        <source>下载</source>
        <translation>Download</translation>
    </message>
    <message>
        <source>继续下载</source>
        <translation>Continue</translation>
    </message>
    <message>
        <source>重新生成</source>
        <translation>Build again</translation>
    </message>
    <message>
        <source>重新下载</source>
        <translation>Download again</translation>
    </message>
    <message>
        <source>暂停</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>正在暂停…</source>
        <translation>Pausing…</translation>
    </message>
    <message>
        <source>停止</source>
        <translation>Stop</translation>
    </message>
    <message>
        <source>生成</source>
        <translation>Build</translation>
    </message>
    <message>
        <source>{do}：{model}</source>
        <translation>{do}: {model}</translation>
    </message>
    <message>
        <source>校验</source>
        <translation>Check</translation>
    </message>
    <message>
        <source>移除…</source>
        <translation>Remove…</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>导入模型</source>
        <translation>Import a model</translation>
    </message>
    <message>
        <source>模型</source>
        <translation>Models</translation>
    </message>
    <message>
        <source>正在看有哪些模型…</source>
        <translation>Looking at what models there are…</translation>
    </message>
    <message>
        <source>导入 GGUF 文件…</source>
        <translation>Import a GGUF file…</translation>
    </message>
    <message>
        <source>复制一份到模型文件夹（推荐）</source>
        <translation>Copy it to the models folder (recommended)</translation>
    </message>
    <message>
        <source>不复制就在原处使用：省磁盘，但移动或删除那个文件后就用不了</source>
        <translation>Without a copy it is used where it lies: that saves disk, but it is gone when the file is moved or deleted</translation>
    </message>
    <message>
        <source>停止</source>
        <translation>Stop</translation>
    </message>
    <message>
        <source>下载设置</source>
        <translation>Downloads</translation>
    </message>
    <message>
        <source>GGUF 模型 (*.gguf);;所有文件 (*)</source>
        <translation>GGUF models (*.gguf);;All files (*)</translation>
    </message>
    <message>
        <source>基础模型的文件</source>
        <translation>File of the base model</translation>
    </message>
</context>
<context>
    <name>QuietBar</name>
    <message>
        <source>撤销</source>
        <translation>Undo</translation>
    </message>
    <message>
        <source>留着</source>
        <translation>Keep</translation>
    </message>
    <message>
        <source>知道了</source>
        <translation>Dismiss</translation>
    </message>
</context>
<context>
    <name>RelationshipField</name>
    <message>
        <source>选一个</source>
        <translation>Choose one</translation>
    </message>
    <message>
        <source>关系</source>
        <translation>Relationship</translation>
    </message>
</context>
<context>
    <name>RequestForm</name>
    <message>
        <source>这一条写给谁？</source>
        <translation>Who is this one for?</translation>
    </message>
    <message>
        <source>下面的都可以不填</source>
        <translation>All below is optional</translation>
    </message>
    <message>
        <source>关系</source>
        <translation>Relationship</translation>
    </message>
    <message>
        <source>语气</source>
        <translation>Tone</translation>
    </message>
    <message>
        <source>场合</source>
        <translation>Occasion</translation>
    </message>
    <message>
        <source>篇幅</source>
        <translation>Length</translation>
    </message>
    <message>
        <source>称呼</source>
        <translation>What you call them</translation>
    </message>
    <message>
        <source>想提到的事</source>
        <translation>Things to mention</translation>
    </message>
    <message>
        <source>生肖</source>
        <translation>Zodiac</translation>
    </message>
    <message>
        <source>落款</source>
        <translation>Signed</translation>
    </message>
    <message>
        <source>{low} 到 {high} 字</source>
        <translation>{low} to {high} characters</translation>
    </message>
    <message>
        <source>怎么叫对方，例如：阿哲</source>
        <translation>e.g. 阿哲</translation>
    </message>
    <message>
        <source>例如：今年升职</source>
        <translation>e.g. 今年升职 (promoted this year)</translation>
    </message>
    <message>
        <source>例如：搬了新家</source>
        <translation>e.g. 搬了新家 (moved house)</translation>
    </message>
    <message>
        <source>例如：小李</source>
        <translation>e.g. 小李</translation>
    </message>
    <message>
        <source>{animal}（来年）</source>
        <translation>{animal} (coming)</translation>
    </message>
    <message>
        <source>{animal}（今年）</source>
        <translation>{animal} (this year)</translation>
    </message>
    <message>
        <source>不写</source>
        <translation>Leave out</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>设置</source>
        <translation>Settings</translation>
    </message>
    <message>
        <source>外观</source>
        <translation>Look</translation>
    </message>
    <message>
        <source>写作</source>
        <translation>Writing</translation>
    </message>
    <message>
        <source>你的数据</source>
        <translation>Your data</translation>
    </message>
    <message>
        <source>出问题的时候</source>
        <translation>When something goes wrong</translation>
    </message>
    <message>
        <source>写过的祝福、联系人和群发名单都在这个文件夹里，不会离开这台电脑：
{folder}</source>
        <translation>What was written, people and lists are in this folder and never leave this computer:
{folder}</translation>
    </message>
    <message>
        <source>打开文件夹</source>
        <translation>Open folder</translation>
    </message>
    <message>
        <source>导出…</source>
        <translation>Export…</translation>
    </message>
    <message>
        <source>删除全部数据…</source>
        <translation>Erase all data…</translation>
    </message>
    <message>
        <source>诊断信息里有系统、设备、模型和最近的日志，没有你写的内容。找人帮忙时请附上它。</source>
        <translation>The diagnostics tell of system, device, models and what happened last; nothing you wrote is in them. Send them along when you ask for help.</translation>
    </message>
    <message>
        <source>复制诊断信息</source>
        <translation>Copy diagnostics</translation>
    </message>
    <message>
        <source>明暗</source>
        <translation>Light or dark</translation>
    </message>
    <message>
        <source>随系统</source>
        <translation>System</translation>
    </message>
    <message>
        <source>浅色</source>
        <translation>Light</translation>
    </message>
    <message>
        <source>深色</source>
        <translation>Dark</translation>
    </message>
    <message>
        <source>语言</source>
        <translation>Language</translation>
    </message>
    <message>
        <source>每次写几条</source>
        <translation>Greetings per click</translation>
    </message>
    <message>
        <source>少写几条，快一些</source>
        <translation>Fewer are faster</translation>
    </message>
    <message>
        <source>线程</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>下次打开模型时生效</source>
        <translation>From the next opening of the model</translation>
    </message>
    <message>
        <source>自动</source>
        <translation>Automatic</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>写祝福</source>
        <translation>Write</translation>
    </message>
    <message>
        <source>群发</source>
        <translation>For many</translation>
    </message>
    <message>
        <source>收藏与历史</source>
        <translation>History</translation>
    </message>
    <message>
        <source>模型</source>
        <translation>Models</translation>
    </message>
    <message>
        <source>设置</source>
        <translation>Settings</translation>
    </message>
    <message>
        <source>浅色</source>
        <translation>Light</translation>
    </message>
    <message>
        <source>深色</source>
        <translation>Dark</translation>
    </message>
    <message>
        <source>随系统</source>
        <translation>System</translation>
    </message>
    <message>
        <source>外观：{name}</source>
        <translation>Appearance: {name}</translation>
    </message>
    <message>
        <source>关于</source>
        <translation>About</translation>
    </message>
    <message>
        <source>版本和许可证</source>
        <translation>Version and licences</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>正在打开模型… {percent}%</source>
        <translation>Opening the model… {percent}%</translation>
    </message>
    <message>
        <source>用时 {seconds} 秒</source>
        <translation>{seconds} s</translation>
    </message>
</context>
<context>
    <name>StoreTrouble</name>
    <message>
        <source>以前写的打不开</source>
        <translation>What you wrote cannot be opened</translation>
    </message>
    <message>
        <source>恢复最近的备份</source>
        <translation>Restore the latest backup</translation>
    </message>
    <message>
        <source>再试一次</source>
        <translation>Try again</translation>
    </message>
    <message>
        <source>从空的开始</source>
        <translation>Begin with an empty one</translation>
    </message>
    <message>
        <source>原来的文件留在旁边，不删</source>
        <translation>The old file is kept beside it</translation>
    </message>
</context>
<context>
    <name>WriteButton</name>
    <message>
        <source>停止</source>
        <translation>Stop</translation>
    </message>
    <message>
        <source>写祝福</source>
        <translation>Write</translation>
    </message>
</context>
</TS>
