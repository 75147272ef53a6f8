-- depends_on: {{ ref('people') }}
{% set found = adapter.get_relation(target.database, target.schema, 'people') %}
{% set missing = adapter.get_relation(target.database, target.schema, 'nobody') %}
{% set made = api.Relation.create(database=target.database, schema=target.schema, identifier='people') %}
select '{{ found.is_table if execute else '' }}' as a, '{{ missing is none }}' as b, count(*) as n from {{ made }}
