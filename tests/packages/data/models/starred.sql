select {{ toolbox.all_columns(ref('people'), ['color']) }} from {{ ref('people') }}
