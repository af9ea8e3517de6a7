"""Shows results to people: pictures, figures and reports. The room knows results, not how they were made."""
