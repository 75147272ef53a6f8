{% test columns_reference(model, references) %}
    {%- for reference in references %}
    select
        '{{ reference.column }}' as column_name,
        cast(child.{{ reference.column }} as string) as value,
        count(*) as rows
    from {{ model }} as child
    left anti join {{ reference.to }} as parent
        on child.{{ reference.column }} = parent.{{ reference.field }}
    where child.{{ reference.column }} is not null
    group by child.{{ reference.column }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{% endtest %}
