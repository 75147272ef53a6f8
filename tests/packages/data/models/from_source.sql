-- depends_on: {{ ref('people') }}
select count(*) as n from {{ source('by_target', 'people') }}
