{% set text, number, sized = api.Column('a', 'string'), api.Column('b', 'decimal(10,2)'), api.Column('c', 'varchar', 20) %}
select '{{ text.is_string() }}' as a, '{{ number.is_numeric() }}' as b, '{{ sized.string_size() }}' as c,
  '{{ api.Column.translate_type('string') }}' as d, '{{ api.Column('i', 'bigint').is_integer() }}' as e
