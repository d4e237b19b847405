"""Changes on trial: tasks are drawn by lot into two arms, outcomes compared, and what does harm is taken back."""
