-- depends_on: {{ ref('people') }}
{% set rows = run_query('describe table ' ~ ref('people')) if execute else [] %}
{% set names = [] %}
{% for row in rows %}{% do names.append(row['col_name'] ~ ' ' ~ row['data_type']) %}{% endfor %}
select '{{ names | join(', ') }}' as a, '{{ 'people' in toolbox.tables_like(target.schema, 'peo*') }}' as b
