"""The pages of the console, a file each, in the order in which they stand in the navigation."""

from modicum.console.page import Page
from modicum.console.pages import budgets, energy, experiments, log, models, month, overview, tasks, teams, waste, where

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    where.PAGE,
    waste.PAGE,
    tasks.PAGE,
    models.PAGE,
    experiments.PAGE,
    budgets.PAGE,
    month.PAGE,
    energy.PAGE,
    teams.PAGE,
    log.PAGE,
)
