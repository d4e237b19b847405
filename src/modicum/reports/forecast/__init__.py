"""What a month will come to, and which days were out of the ordinary: from daily spend, with its weekly season."""
