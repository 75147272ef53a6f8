select '{{ target.type in ("spark", "databricks") }}' as a, '{{ "spark" in target.type }}' as b,
  '{{ target.adapter }}' as c, '{{ target.host is defined and target.port is defined }}' as d
