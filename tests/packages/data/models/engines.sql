select '{{ toolbox.engine() }}' as a, '{{ toolbox.own_engine() }}' as b, '{{ toolbox.any_engine() }}' as c,
  '{{ adapter.type() }}' as d
