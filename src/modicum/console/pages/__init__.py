"""The pages of the console, a file each, in the order in which they stand in the navigation."""

from modicum.console.page import Page
from modicum.console.pages import overview, where

PAGES: tuple[Page, ...] = (overview.PAGE, where.PAGE)
