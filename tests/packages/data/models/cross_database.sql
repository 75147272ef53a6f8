select cast({{ dbt.dateadd('day', 1, "cast('2024-02-28' as date)") }} as date) as a,
  {{ dbt.safe_cast("'x'", dbt.type_int()) }} as b,
  {{ dbt.datediff("cast('2024-01-01' as date)", "cast('2024-01-31' as date)", 'day') }} as c,
  {{ dbt.listagg('name', "','", 'order by name') }} as d,
  cast(1 as {{ dbt.type_string() }}) as e
from {{ ref('people') }}
