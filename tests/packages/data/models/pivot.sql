select {{ toolbox.pivoted('color', toolbox.distinct_values(ref('people'), 'color')) or '1 as none' }} from {{ ref('people') }}
