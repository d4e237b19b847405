"""Causes of broken caches in words: what happened, and what to do about it."""

from modicum.calls import PromptEvent

CAUSES: dict[str, tuple[str, str]] = {
    PromptEvent.SKILL: (
        "Skills loaded in mid-session",
        "update the program; load skills at the start of a session, or run them in a subagent",
    ),
    PromptEvent.COMMAND: (
        "Slash commands in mid-session",
        "update the program; use them at the start of a session, or write the prompt out",
    ),
    PromptEvent.SKILL_ENDED: (
        "The first prompt after a skill or command, whose settings ended",
        "update the program; put skills and commands at the start of a session, or into a subagent",
    ),
    PromptEvent.THINKING: (
        "Thinking settings changed in mid-session",
        "choose the setting before the first prompt, and leave it",
    ),
    PromptEvent.TOOL_CHOICE: (
        "Tool choice changed in mid-conversation",
        "leave tool_choice as it is, and say in the prompt which tool is meant",
    ),
    PromptEvent.IMAGE: (
        "The first image came into a conversation, or the last one left it",
        "send images with the first prompt, or to a call of their own",
    ),
    PromptEvent.CLIENT_VERSION: ("The program was updated in mid-session", "start a new session after an update"),
    PromptEvent.PERMISSION_MODE: ("The permission mode changed", "choose the mode before the first prompt"),
    PromptEvent.API_ERROR: ("A call was tried again after an error of the provider", ""),
    PromptEvent.SHELL_COMMAND: ("Shell commands within the conversation", "run them outside the program"),
    PromptEvent.INTERRUPT: ("What ran was broken off by the user", ""),
    "model_changed": ("The provider says: another model", "stay with one model within a conversation"),
    "system_changed": (
        "The provider says: the system prompt changed",
        "put dates and other volatile text last, behind what is cached",
    ),
    "tools_changed": (
        "The provider says: the tools changed",
        "send the same tools in the same order within a conversation",
    ),
    "messages_changed": (
        "The provider says: earlier messages changed",
        "append only: do not edit or drop messages that were sent",
    ),
}


def describe(cause: str) -> tuple[str, str]:
    """What happened and what to do, for a cause by its name; a provider's word that we do not know stands as it is."""
    return CAUSES.get(cause, (f"The provider says: {cause.replace('_', ' ')}", ""))
