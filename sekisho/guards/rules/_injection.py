"""Signatures of prompt injection in four languages: evidence beside a classifier, never the only gate.

Each signature needs an act (ignore, reveal, pretend) *and* its object (instructions, system prompt), so
that talk about the subject does not match. Known by everybody, so they stop only the lazy.
"""

from __future__ import annotations

from ._matching import DetectorSpec, Shape, sure

_PREVIOUS = r"(?:all |any |every )?(?:of )?(?:the |your |my |these |those )?(?:previous|prior|above|earlier|preceding|existing|original|foregoing)"
_RULES = r"(?:instructions?|prompts?|directions?|rules?|guidelines?|guardrails?|commands?|constraints?|context|messages?|programming)"

INJECTION = (
    DetectorSpec(
        "injection_signature",
        "known wording of prompt injection (en, ja, zh, ko)",
        (
            Shape(
                rf"(?i)\b((?:please |now |must |should |to |and |then )?(?:ignore|disregard|forget|override|bypass|discard|drop)\s+(?:about )?{_PREVIOUS}\s+(?:\w+\s+){{0,2}}{_RULES})",
                sure(0.9),
            ),
            Shape(
                rf"(?i)\b((?:ignore|disregard|forget)\s+(?:everything|all(?: that)?)\s+(?:you(?:'ve| have)? (?:been told|were told|know|learned)|above|before this|{_RULES}))",
                sure(0.9),
            ),
            Shape(
                r"(?i)\b((?:reveal|print|output|repeat|show|leak|dump|disclose|tell me)\s+(?:me )?(?:word for word |verbatim )?(?:your|the)\s+(?:full |entire |complete |exact |hidden |initial |original )*(?:system|developer|initial|hidden)\s+(?:prompt|message|instructions?))",
                sure(0.85),
            ),
            Shape(
                r"(?i)\b(you are (?:now |going to be )?(?:in )?(?:DAN\b|do anything now|developer mode|jailbroken|an? (?:unrestricted|unfiltered|uncensored|amoral) (?:ai|assistant|model|chatbot)))",
                sure(0.85),
            ),
            Shape(
                r"(?i)((?:<\|?(?:im_start|system|start_header_id)\|?>|\[/?INST\]|<<SYS>>|\[system\]|###? ?system(?: prompt| message)?:)[^\n]{0,80}(?:ignore|override|new instructions?|you (?:are|must)|unrestricted))",
                sure(0.85),
            ),
            Shape(
                r"(?i)\b((?:do not|don't|never) (?:tell|inform|mention|reveal|let)[^.\n]{0,40}\b(?:the )?user\b[^.\n]{0,60}(?:this|these|instruction|message|note|email|step))",
                sure(0.75),
            ),
            Shape(
                r"((?:これまで|以前|上記|上|前|今まで|すべて|全て)(?:の|に与えられた|に出された)*(?:すべての|全ての|あらゆる)?(?:指示|命令|指令|ルール|規則|プロンプト|制約)(?:を|は)?(?:すべて|全て|全部|一切)?(?:無視|忘れ|破棄|取り消|上書き))",
                sure(0.9),
            ),
            Shape(
                r"((?:システム|開発者|初期|隠し)(?:の)?(?:プロンプト|メッセージ|指示)(?:を|の全文を|をそのまま|を全部)?[^。\n]{0,12}(?:出力し|表示し|教えろ|開示し|晒せ|公開し|書き出し))",
                sure(0.85),
            ),
            Shape(
                r"((?:忽略|无视|無視|忘记|忘記|忘掉|抛弃|不要理会|不理會|跳过)(?:掉)?(?:你)?(?:之前|以上|上述|前面|先前|此前|以前|所有|全部|一切)(?:的|所有的|所有)?(?:所有|全部)?(?:系统|系統)?(?:指令|指示|命令|提示|提示词|提示詞|规则|規則|设定|設定|限制|内容|要求))",
                sure(0.9),
            ),
            Shape(
                r"((?:输出|打印|显示|告诉我|泄露|复述|公开|輸出|顯示|告訴我)(?:一下)?(?:你的|完整的|全部的|原始的)*(?:系统|系統|初始|隐藏|隱藏|开发者)(?:提示词|提示詞|提示|指令|消息|訊息))",
                sure(0.85),
            ),
            Shape(
                r"((?:이전|앞선|앞의|위의?|지금까지의?|기존의?|모든)\s*(?:모든\s*)?(?:지시|명령|지침|규칙|프롬프트|제한|설정)(?:\s*사항)?(?:을|를|은|는)?\s*(?:전부\s*|모두\s*|다\s*|싹\s*)?(?:무시|잊|따르지|폐기|덮어))",
                sure(0.9),
            ),
            Shape(
                r"((?:시스템|개발자|초기|숨겨진)\s*(?:프롬프트|메시지|지시문?|지침)(?:를|을)?[^.\n]{0,12}(?:출력|보여|공개|알려|노출))",
                sure(0.85),
            ),
        ),
    ),
)
