{% test columns_accepted(model, accepted) %}
    {%- for column, allowed in accepted.items() %}
    select
        '{{ column }}' as column_name,
        cast({{ column }} as string) as value,
        count(*) as rows
    from {{ model }}
    where cast({{ column }} as string) not in ('{{ allowed | join("', '") }}')
    group by {{ column }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{% endtest %}
