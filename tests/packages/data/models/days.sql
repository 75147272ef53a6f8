{{ toolbox.day_rows('2024-02-27', 5) }}
