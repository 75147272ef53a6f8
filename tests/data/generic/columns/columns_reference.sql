{#- One scan of the model collects the distinct values of all columns, which are then looked up. -#}
{% test columns_reference(model, references) %}
    with collected as (
        select
            stack(
                {{ references | length }}
                {%- for reference in references -%}
                , '{{ reference.column }}', collect_set(cast({{ adapter.quote(reference.column) }} as string))
                {%- endfor -%}
            ) as (column_name, found)
        from {{ model }}
    ),

    child as (
        select
            column_name,
            explode(found) as value
        from collected
    ),

    parent as (
        {%- for reference in references %}
        select
            '{{ reference.column }}' as column_name,
            cast({{ adapter.quote(reference.field) }} as string) as value
        from {{ reference.to }}
        {{- '\n        union all' if not loop.last }}
        {%- endfor %}
    )

    select
        child.column_name,
        child.value
    from child
    left anti join parent
        on child.column_name = parent.column_name and child.value = parent.value
{% endtest %}
