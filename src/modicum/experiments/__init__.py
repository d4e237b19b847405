"""Proof: what may be concluded from tasks under several arms.

Changes on trial: tasks are drawn by lot into two arms, outcomes compared, and what does harm is taken back.
Comparisons: the same tasks under several arms, from results that are there already.
"""
