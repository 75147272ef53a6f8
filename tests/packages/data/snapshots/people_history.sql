{% snapshot people_history %}{{ config(unique_key='id', strategy='check', check_cols='all') }}select id, name, color from {{ ref('people') }}{% endsnapshot %}
